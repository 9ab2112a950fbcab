import { describe, expect, it } from '@jest/globals';
import { KeyUnavailableError } from '../../../../codec/errors.ts';
import { createLogger } from '../../../../lambda/server/audit/logger.ts';
import { createMetrics } from '../../../../lambda/server/audit/metrics.ts';
import { observeIdentity } from '../../../../lambda/server/audit/observe.ts';
import { auditEntry } from '../../../support/audit-entry.ts';

const unusable = (message: string) => new KeyUnavailableError('unusable', message, 5, { dependency: 'secrets' });

describe('a secret that cannot be used', () => {
  it('is logged at once with what is wrong, once, and counted every time', () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const metrics = createMetrics(write, 'dev');
    const observe = observeIdentity(createLogger(write, 'WARN'), metrics).observeSecret('service tokens');
    for (let i = 0; i < 3; i++) observe(unusable('it is not valid JSON at line 4 column 3'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'ERROR',
      secret: 'service tokens',
      error: { message: 'it is not valid JSON at line 4 column 3', code: 'unusable' },
    });
    observe(unusable('tokens must be an array'));
    expect(lines).toHaveLength(2);
    metrics.record(auditEntry());
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ SecretsUnusable: 4 });
  });

  it('is another thing than one that cannot be reached', () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const metrics = createMetrics(write, 'dev');
    const observe = observeIdentity(createLogger(write, 'WARN'), metrics).observeSecret('session keys');
    observe(new KeyUnavailableError('throttled', 'Secrets Manager cannot give the secret: ThrottlingException', 5));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'WARN', secret: 'session keys' });
    metrics.record(auditEntry());
    expect(lines[1]).not.toContain('SecretsUnusable');
  });
});
