import { hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { algorithmSuiteOf, COMMITTED, deriveMessageKeys } from '../../../codec/aws-encryption-sdk/algorithm-suites.ts';

function hkdf(dataKey: Buffer, salt: Buffer, info: Buffer): string {
  return Buffer.from(hkdfSync('sha512', dataKey, salt, info, 32)).toString('hex');
}

describe('the keys of a message', () => {
  it.each([
    [COMMITTED, '0478'],
    [algorithmSuiteOf(0x0578), '0578'],
  ])('are what HKDF makes of data key and message id (%j)', (suite, id) => {
    for (let i = 0; i < 300; i++) {
      const [dataKey, messageId] = [randomBytes(32), randomBytes(32)];
      const { encryptionKey, commitKey } = deriveMessageKeys(suite, dataKey, messageId);
      const info = Buffer.concat([Buffer.from(id, 'hex'), Buffer.from('DERIVEKEY')]);
      expect(encryptionKey.export().toString('hex')).toBe(hkdf(dataKey, messageId, info));
      expect(commitKey.toString('hex')).toBe(hkdf(dataKey, messageId, Buffer.from('COMMITKEY')));
    }
  });

  it('leave data key and message id as they were', () => {
    const [dataKey, messageId] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    deriveMessageKeys(COMMITTED, dataKey, messageId);
    expect(dataKey.equals(Buffer.alloc(32, 1)) && messageId.equals(Buffer.alloc(32, 2))).toBe(true);
  });

  it('are not those of the next message', () => {
    const first = deriveMessageKeys(COMMITTED, Buffer.alloc(32, 1), Buffer.alloc(32, 2));
    const kept = first.commitKey.toString('hex');
    deriveMessageKeys(COMMITTED, Buffer.alloc(32, 3), Buffer.alloc(32, 4));
    expect(first.commitKey.toString('hex')).toBe(kept);
  });
});
