import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { contextOfNamespace } from '../../../../codec/aws-encryption-sdk/encryption-context.ts';
import { CannotEncodeError, CannotOpenError, KeyUnavailableError } from '../../../../codec/errors.ts';
import type { KeyContext } from '../../../../codec/keys/key-source.ts';
import { formatKeyring, newKeyring, withNewKey } from '../../../../codec/keys/keyring/keyring.ts';
import { KeyringSecretSource } from '../../../../codec/keys/keyring/keyring-secret-source.ts';
import { secretsManagerReader } from '../../../../codec/keys/secrets/secrets-manager.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { PATIENCE_MS } from '../../../support/patience.ts';
import { SecretsManagerStandIn } from '../../../support/secrets-manager-stand-in.ts';

const TTL_MS = 300_000;
const first = newKeyring('first');
const rotated = withNewKey(first, 'second');
const onlySecond = { ...rotated, keys: rotated.keys.slice(1) };

let manager: SecretsManagerStandIn;
let clock: ManualClock;
let arn: string;
let source: KeyringSecretSource;
beforeEach(async () => {
  manager = await SecretsManagerStandIn.start();
  clock = new ManualClock(Date.now());
  arn = manager.createSecret('keyring', formatKeyring(first));
  source = new KeyringSecretSource(secretsManagerReader({ arn, previous: false, client: manager.client }), {
    namespaces: ['orders', 'billing-*'],
    clock,
  });
});
afterEach(() => manager.close());

const contextOf = (namespace: string): KeyContext & { readonly namespace: string } => ({
  namespace,
  deadline: Date.now() + PATIENCE_MS,
  usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
});

/** What a message that is written now would carry. */
async function written(namespace = 'orders') {
  const encryptionContext = contextOfNamespace(namespace);
  const { dataKey, encryptedDataKeys } = await source.materialsFor(encryptionContext, 10, contextOf(namespace));
  dataKey.release();
  return { kind: 'message', encryptedDataKeys, encryptionContext } as const;
}

async function idOf(request: Awaited<ReturnType<typeof written>>, namespace = 'orders'): Promise<string> {
  const key = await source.unwrap(request, contextOf(namespace));
  key.release();
  return key.id;
}

describe('a keyring in a secret', () => {
  it('writes and reads with one reading of the secret, and none for a namespace that it does not serve', async () => {
    await expect(
      (async () => source.materialsFor(contextOfNamespace('payroll'), 1, contextOf('payroll')))(),
    ).rejects.toThrow(CannotEncodeError);
    const ofKms = { kind: 'message', encryptedDataKeys: [], encryptionContext: new Map() } as const;
    await expect((async () => source.unwrap(ofKms, contextOf('orders')))()).rejects.toMatchObject({
      reason: 'unknown-key',
    });
    expect(manager.calls).toEqual([]);
    for (const namespace of ['orders', 'billing-eu'])
      expect(await idOf(await written(namespace), namespace)).toBe('codec-server/first');
    await expect(idOf(await written(), 'payroll')).rejects.toMatchObject({ reason: 'wrong-namespace' });
    expect(manager.calls).toEqual(['AWSCURRENT']);
  });

  it('binds what it wraps to the namespace of the message', async () => {
    const request = { ...(await written()), encryptionContext: contextOfNamespace('billing-eu') };
    await expect(idOf(request, 'billing-eu')).rejects.toBeInstanceOf(CannotOpenError);
  });

  it('writes with the new current key once the secret is read again, and reads both', async () => {
    const before = await written();
    manager.putSecretValue(arn, formatKeyring(rotated));
    expect(await idOf(await written())).toBe('codec-server/first');
    await clock.pass(TTL_MS);
    expect(await idOf(await written())).toBe('codec-server/second');
    expect(await idOf(before)).toBe('codec-server/first');
  });

  it('looks once more for a key that it does not know: another worker has rotated already', async () => {
    await written();
    manager.putSecretValue(arn, formatKeyring(rotated));
    const elsewhere = new KeyringSecretSource(secretsManagerReader({ arn, previous: false, client: manager.client }), {
      namespaces: ['orders'],
    });
    const context = contextOfNamespace('orders');
    const { encryptedDataKeys, dataKey } = await elsewhere.materialsFor(context, 1, contextOf('orders'));
    dataKey.release();
    await clock.pass(31_000);
    const request = { kind: 'message', encryptedDataKeys, encryptionContext: context } as const;
    expect(await idOf(request)).toBe('codec-server/second');
  });

  it('opens nothing under a key that was taken out, from the end of the time to live on, cached data keys included', async () => {
    const before = await written();
    await clock.pass(TTL_MS - 2);
    expect(await idOf(before)).toBe('codec-server/first');
    manager.putSecretValue(arn, formatKeyring(onlySecond));
    await clock.pass(2);
    await expect(idOf(before)).rejects.toMatchObject({ reason: 'unknown-key' });
    expect(await idOf(await written())).toBe('codec-server/second');
  });

  it.each<[string, () => void]>([
    ['deleted', () => (manager.trouble = () => ({ exception: 'ResourceNotFoundException' }))],
    ['not to be read any more', () => (manager.trouble = () => ({ exception: 'AccessDeniedException' }))],
    ['not a keyring any more', () => manager.putSecretValue(arn, 'put the keyring document here')],
  ])('stops with the time to live when the secret is %s', async (_, revoke) => {
    const before = await written();
    revoke();
    expect(await idOf(before)).toBe('codec-server/first');
    await clock.pass(TTL_MS);
    await expect(idOf(before)).rejects.toBeInstanceOf(KeyUnavailableError);
    await expect(written()).rejects.toBeInstanceOf(KeyUnavailableError);
  });

  it('goes on for an hour while Secrets Manager does not answer, and not longer', async () => {
    const before = await written();
    manager.trouble = () => ({ exception: 'InternalServiceError', status: 500 });
    await clock.pass(TTL_MS + 3_500_000);
    expect(await idOf(before)).toBe('codec-server/first');
    await clock.pass(100_001);
    await expect(idOf(before)).rejects.toBeInstanceOf(KeyUnavailableError);
  });
});
