import { describe, expect, it } from '@jest/globals';
import { type Kms, KmsFault, type KmsFaultKind, type KmsKey, observeKms } from '../../../../codec/keys/kms/kms-api.ts';
import { createLogger } from '../../../../lambda/server/audit/logger.ts';
import { createMetrics } from '../../../../lambda/server/audit/metrics.ts';
import { observeKeys } from '../../../../lambda/server/audit/observe.ts';
import { auditEntry } from '../../../support/audit-entry.ts';

const KEY = {} as KmsKey;
const { signal } = new AbortController();

function kmsThat(answer: () => Promise<never> | Promise<Uint8Array>): Kms {
  return {
    decrypt: answer,
    generateDataKey: async () => ({ plaintext: await answer(), ciphertext: new Uint8Array() }),
    close: () => {},
  };
}

describe('calls to KMS', () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);

  it('are counted by how they end, and what an operator can act on is logged', async () => {
    const metrics = createMetrics(write, 'dev');
    const { onKmsCall } = observeKeys(createLogger(write, 'INFO'), metrics);
    const kinds: KmsFaultKind[] = [
      'throttled',
      'unreachable',
      'timed-out',
      'access-denied',
      'disabled',
      'invalid-ciphertext',
      'incorrect-key',
    ];
    for (const kind of kinds) {
      const kms = observeKms(
        kmsThat(() => Promise.reject(new KmsFault(kind, 'Exception'))),
        onKmsCall,
      );
      await expect(kms.decrypt(KEY, new Uint8Array(), new Map(), signal)).rejects.toThrow(KmsFault);
    }
    const kms = observeKms(
      kmsThat(async () => new Uint8Array(32)),
      onKmsCall,
    );
    expect(await kms.decrypt(KEY, new Uint8Array(), new Map(), signal)).toHaveLength(32);
    expect((await kms.generateDataKey(KEY, new Map(), signal)).plaintext).toHaveLength(32);
    metrics.record(auditEntry());
    const metricLine = JSON.parse(lines.pop() ?? '');
    expect(metricLine).toMatchObject({ KmsCalls: 9, KmsThrottled: 1, KmsUnreachable: 2 });
    expect(lines.map((line) => JSON.parse(line)).map(({ message, fault }) => [message, fault])).toEqual([
      ['KMS throttles', undefined],
      ['KMS does not answer', 'unreachable'],
      ['KMS does not answer', 'timed-out'],
      ['KMS refuses a configured key', 'access-denied'],
      ['KMS refuses a configured key', 'disabled'],
    ]);
  });

  it('are logged where nobody counts', () => {
    const { onKmsCall } = observeKeys(createLogger(write, 'DEBUG'), undefined);
    expect(() => [onKmsCall(undefined, 1), onKmsCall('throttled', 1), onKmsCall('incorrect-key', 1)]).not.toThrow();
  });
});
