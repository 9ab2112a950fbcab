import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyUnavailableError } from '../../../../codec/errors.ts';
import { createSecretSource } from '../../../../codec/keys/secrets/secret-source.ts';
import { secretsManagerReader } from '../../../../codec/keys/secrets/secrets-manager.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { SECRETS_CANARY, SecretsManagerStandIn } from '../../../support/secrets-manager-stand-in.ts';

let standIn: SecretsManagerStandIn;

beforeEach(async () => {
  standIn = await SecretsManagerStandIn.start();
});

afterEach(() => standIn.close());

const soon = () => Date.now() + PATIENCE_MS;

describe('a secret of Secrets Manager', () => {
  it('comes with the version before it, where there is one', async () => {
    const arn = standIn.createSecret('codec/static-keys', 'first');
    const read = secretsManagerReader({ arn, client: standIn.client });
    expect(await read(soon())).toEqual({ current: 'first', previous: undefined });
    standIn.putSecretValue(arn, 'second');
    expect(await read(soon())).toEqual({ current: 'second', previous: 'first' });
  });

  it('comes without it where it is not wanted', async () => {
    const arn = standIn.createSecret('codec/tokens', 'first');
    standIn.putSecretValue(arn, 'second');
    const read = secretsManagerReader({ arn, previous: false, client: standIn.client });
    expect(await read(soon())).toEqual({ current: 'second', previous: undefined });
    expect(standIn.calls).toEqual(['AWSCURRENT']);
  });

  it('is unusable when the service refuses, and out of reach when it fails, in words of ours', async () => {
    const arn = standIn.createSecret('codec/tokens', 'first');
    const read = secretsManagerReader({ arn, client: standIn.client });
    const cases = [
      [{ exception: 'AccessDeniedException' }, 'unusable'],
      [{ exception: 'ResourceNotFoundException' }, 'unusable'],
      [{ exception: 'DecryptionFailure' }, 'unusable'],
      [{ exception: 'InternalServiceError', status: 500 }, 'unreachable'],
      [{ exception: 'ThrottlingException' }, 'throttled'],
      ['garbage', 'unreachable'],
    ] as const;
    for (const [trouble, reason] of cases) {
      standIn.trouble = () => trouble;
      const error = await read(soon()).catch((it: unknown) => it);
      expect(error).toBeInstanceOf(KeyUnavailableError);
      expect(error).toMatchObject({ reason });
      const words = `${(error as Error).message} ${JSON.stringify(error)} ${(error as Error).cause}`;
      expect(words).not.toContain(SECRETS_CANARY);
      expect(words).not.toContain('arn:');
    }
  });

  it('does not make do with the current version when the one before cannot be read', async () => {
    const arn = standIn.createSecret('codec/static-keys', 'first');
    standIn.putSecretValue(arn, 'second');
    standIn.trouble = (stage) => (stage === 'AWSPREVIOUS' ? { exception: 'AccessDeniedException' } : 'ok');
    await expect(secretsManagerReader({ arn, client: standIn.client })(soon())).rejects.toThrow(KeyUnavailableError);
  });

  it('is given up at the deadline', async () => {
    const arn = standIn.createSecret('codec/tokens', 'first');
    standIn.trouble = () => 'hang';
    const read = secretsManagerReader({ arn, previous: false, client: standIn.client });
    await expect(read(Date.now() + 200)).rejects.toMatchObject({ name: 'KeyUnavailableError', reason: 'timed-out' });
    // Before the call itself is given up, and made again.
    expect(standIn.calls.length).toBeLessThan(2);
  });

  it('is asked for again when a connection has died silently, as in a frozen function', async () => {
    const arn = standIn.createSecret('codec/tokens', 'first');
    standIn.trouble = () => (standIn.calls.length === 1 ? 'hang' : 'ok');
    const read = secretsManagerReader({ arn, previous: false, client: standIn.client });
    expect(await read(soon())).toEqual({ current: 'first', previous: undefined });
    expect(standIn.calls).toHaveLength(2);
  });

  it('stands behind a source that reads it once for all', async () => {
    const arn = standIn.createSecret('codec/tokens', 'a b c');
    const read = secretsManagerReader({ arn, previous: false, client: standIn.client });
    const source = createSecretSource({ read, parse: ({ current }) => current.split(' ') });
    const values = await Promise.all(Array.from({ length: 50 }, () => source.get()));
    expect(values.every((value) => value.length === 3)).toBe(true);
    expect(standIn.calls.length).toBe(1);
  });

  it('must be named by its ARN', () => {
    const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:codec/tokens-a1B2c3';
    expect(() => secretsManagerReader({ arn })).not.toThrow();
    for (const arn of ['codec/tokens', 'arn:aws:kms:eu-central-1:111122223333:secret:x', ''])
      expect(() => secretsManagerReader({ arn })).toThrow('is not an ARN of a secret');
  });
});
