import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../../../../lambda/server/audit/logger.ts';
import { createMetrics } from '../../../../lambda/server/audit/metrics.ts';
import { observeIdentity } from '../../../../lambda/server/audit/observe.ts';
import { HttpsGetError } from '../../../../lambda/server/auth/https-get.ts';
import { auditEntry } from '../../../support/audit-entry.ts';

describe('questions of identity to others', () => {
  it('are counted, and logged with what went wrong', () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const metrics = createMetrics(write, 'dev');
    const { onKeyFetch, onRoleLookup } = observeIdentity(createLogger(write, 'WARN'), metrics);
    onKeyFetch('ok');
    onKeyFetch('failed', new HttpsGetError('login.example cannot be reached (ECONNREFUSED)'));
    onRoleLookup('ok');
    onRoleLookup('ok');
    onRoleLookup('failed', new Error('SECRET'));
    metrics.record(auditEntry());
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'WARN',
      error: { message: 'login.example cannot be reached (ECONNREFUSED)' },
    });
    expect(lines[1]).not.toContain('SECRET');
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({
      JwksFetchFailures: 1,
      RoleLookupFailures: 1,
    });
  });

  it('are logged where nobody counts', () => {
    const { onKeyFetch, onRoleLookup } = observeIdentity(
      createLogger(() => {}, 'DEBUG'),
      undefined,
    );
    expect(() => [onKeyFetch('ok'), onKeyFetch('failed'), onRoleLookup('ok'), onRoleLookup('failed')]).not.toThrow();
  });

  it('of the identity provider are logged by its code, or by what is out of reach', () => {
    const lines: string[] = [];
    const { onProvider } = observeIdentity(
      createLogger((line) => void lines.push(line), 'WARN'),
      undefined,
    );
    onProvider('refused', new Error('SECRET'), 'invalid_client');
    onProvider('unavailable', new HttpsGetError('login.example cannot be reached (ECONNREFUSED)'));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'WARN', code: 'invalid_client' });
    expect(lines[0]).not.toContain('SECRET');
    expect(lines[1]).toContain('ECONNREFUSED');
  });
});
