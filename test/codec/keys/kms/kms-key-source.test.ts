import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EncryptionContext } from '../../../../codec/aws-encryption-sdk/encryption-context.ts';
import { CannotEncodeError, CannotOpenError, KeyUnavailableError, TooManyKeysError } from '../../../../codec/errors.ts';
import { DataKeyCache } from '../../../../codec/keys/cache/data-key-cache.ts';
import type { DataKey } from '../../../../codec/keys/data-key.ts';
import type { EncryptedDataKey } from '../../../../codec/keys/key-source.ts';
import { createKms } from '../../../../codec/keys/kms/kms.ts';
import type { Kms } from '../../../../codec/keys/kms/kms-api.ts';
import type { CallSettings } from '../../../../codec/keys/kms/kms-caller.ts';
import { type KmsKeyPairing, KmsKeys } from '../../../../codec/keys/kms/kms-key-source.ts';
import { CANARY, KmsStandIn } from '../../../support/kms-stand-in.ts';

let standIn: KmsStandIn;
let kms: Kms;

beforeEach(async () => {
  standIn = await KmsStandIn.start();
  kms = createKms({ client: standIn.client });
});

afterEach(async () => {
  kms.close();
  await standIn.close();
});

/** Pauses that a test can bear; attempts that are not cut short on a busy machine. */
const CALLS: Partial<CallSettings> = { attempts: 3, attemptMs: 4000, pauseMs: 5 };

function keysOf(pairings: readonly KmsKeyPairing[], calls = CALLS): KmsKeys {
  return new KmsKeys(pairings, { kms, calls, random: () => 0.5 });
}

const contextOf = (namespace: string): EncryptionContext => new Map([['temporal-namespace', namespace]]);

function within(namespace: string | undefined, milliseconds = 20_000) {
  return { namespace: namespace as string, deadline: Date.now() + milliseconds };
}

function wrappedBy(arn: string, ciphertext: Uint8Array): EncryptedDataKey {
  return { providerId: 'aws-kms', providerInfo: Buffer.from(arn), ciphertext };
}

function read(keys: KmsKeys, encryptedDataKeys: readonly EncryptedDataKey[], namespace = 'orders'): Promise<DataKey> {
  return keys.unwrap(
    { kind: 'message', encryptedDataKeys, encryptionContext: contextOf(namespace) },
    within(namespace),
  );
}

/** How something fails, at once or later. */
async function failureOf(attempt: () => unknown): Promise<unknown> {
  try {
    await attempt();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('data keys of KMS', () => {
  it('are made for a namespace, name their key, and can be read again', async () => {
    const arn = standIn.createKey();
    const keys = keysOf([{ namespaces: ['orders'], write: arn }]);
    const { dataKey, encryptedDataKeys } = await keys.generate(contextOf('orders'), within('orders'));
    expect(encryptedDataKeys).toEqual([
      { providerId: 'aws-kms', providerInfo: Buffer.from(arn), ciphertext: expect.any(Uint8Array) },
    ]);
    expect(dataKey.id).toBe(arn);
    expect((await read(keys, encryptedDataKeys)).bytes).toEqual(dataKey.bytes);
    expect(standIn.calls).toEqual([
      {
        operation: 'GenerateDataKey',
        keyId: arn,
        encryptionContext: { 'temporal-namespace': 'orders' },
        region: 'eu-central-1',
      },
      {
        operation: 'Decrypt',
        keyId: arn,
        encryptionContext: { 'temporal-namespace': 'orders' },
        region: 'eu-central-1',
      },
    ]);
  });

  it('carry namespaces of any letters', async () => {
    const keys = keysOf([{ namespaces: ['*'], write: standIn.createKey() }]);
    const namespace = 'bestellungen-größe-注文-😀';
    const { dataKey, encryptedDataKeys } = await keys.generate(contextOf(namespace), within(namespace));
    expect((await read(keys, encryptedDataKeys, namespace)).bytes).toEqual(dataKey.bytes);
  });

  it('are refused by KMS itself under another namespace', async () => {
    const keys = keysOf([{ namespaces: ['*'], write: standIn.createKey() }]);
    const { encryptedDataKeys } = await keys.generate(contextOf('orders'), within('orders'));
    const error = await failureOf(() => read(keys, encryptedDataKeys, 'payments'));
    expect(error).toBeInstanceOf(CannotOpenError);
    expect(error).toMatchObject({ reason: 'wrong-context' });
  });

  it('are asked of the key’s own Region', async () => {
    const arn = standIn.createKey({ region: 'ap-southeast-2' });
    await keysOf([{ namespaces: ['*'], write: arn }]).generate(contextOf('orders'), within('orders'));
    expect(standIn.calls[0]?.region).toBe('ap-southeast-2');
  });
});

describe('which key serves a namespace', () => {
  it('is no more than ten of them where the payload does not tell which', async () => {
    const arns = Array.from({ length: 12 }, () => standIn.createKey());
    const keys = keysOf([{ namespaces: ['orders'], write: null, read: arns, foreignFormats: ['kms-python-sample'] }]);
    const ciphertext = Buffer.alloc(100);
    const request = { kind: 'kms', format: 'kms-python-sample', claimedKey: undefined, ciphertext } as const;
    const asked = () => keys.unwrap({ ...request, encryptionContext: new Map() }, within('orders'));
    expect(await failureOf(asked)).toBeInstanceOf(CannotOpenError);
    expect(standIn.calls.map(({ keyId }) => keyId)).toEqual(arns.slice(0, 10));
  });

  it('is none where no namespace is named, unless it serves them all', async () => {
    const [orders, all] = [standIn.createKey(), standIn.createKey()];
    const entry = (namespace: string, write: string) => keysOf([{ namespaces: [namespace], write }]);
    for (const [keys, reason] of [
      [entry('orders', orders), 'wrong-namespace'],
      [entry('*', all), 'opened'],
    ] as const) {
      const { encryptedDataKeys } = await keys.generate(contextOf('orders'), within('orders'));
      const request = { kind: 'message', encryptedDataKeys, encryptionContext: contextOf('orders') } as const;
      const opened = async () => keys.unwrap(request, within(undefined));
      if (reason === 'opened') expect((await opened()).id).toBe(all);
      else expect(await failureOf(opened)).toMatchObject({ reason });
    }
  });

  it('is decided by the first entry that covers it, and writing without one is refused with a way out', async () => {
    const [a, b] = [standIn.createKey(), standIn.createKey()];
    const keys = keysOf([
      { namespaces: ['legacy-*'], write: null, read: [b] },
      { namespaces: ['orders-*'], write: a },
      { namespaces: ['*-prod'], write: b },
    ]);
    expect((await keys.generate(contextOf('orders-prod'), within('orders-prod'))).dataKey.id).toBe(a);
    expect((await keys.generate(contextOf('billing-prod'), within('billing-prod'))).dataKey.id).toBe(b);
    for (const namespace of ['legacy-prod', 'unknown']) {
      const error = await failureOf(() => keys.generate(contextOf(namespace), within(namespace)));
      expect(error).toBeInstanceOf(CannotEncodeError);
      expect((error as Error).message).toContain('keys.kms[].write');
    }
  });

  it('lets every key of every entry that covers it read', async () => {
    const [a, b, c] = [standIn.createKey(), standIn.createKey(), standIn.createKey()];
    const keys = keysOf([
      { namespaces: ['orders'], write: a, read: [b] },
      { namespaces: ['*'], write: c },
    ]);
    for (const arn of [a, b, c]) {
      const wrapped = standIn.wrap(arn, new Uint8Array(32).fill(7), { 'temporal-namespace': 'orders' });
      expect((await read(keys, [wrappedBy(arn, wrapped)])).id).toBe(arn);
    }
  });

  it('never asks KMS for a key of another namespace, or one that is not configured', async () => {
    const [a, b] = [standIn.createKey(), standIn.createKey()];
    const keys = keysOf([
      { namespaces: ['orders'], write: a },
      { namespaces: ['payments'], write: b },
    ]);
    const ofPayments = [wrappedBy(b, standIn.wrap(b, new Uint8Array(32), { 'temporal-namespace': 'orders' }))];
    expect(await failureOf(() => read(keys, ofPayments))).toMatchObject({ reason: 'wrong-namespace' });
    const foreign = [
      wrappedBy(standIn.createKey(), Buffer.alloc(100)),
      { ...wrappedBy(a, Buffer.alloc(1)), providerId: 'raw' },
    ];
    expect(await failureOf(() => read(keys, foreign))).toMatchObject({ reason: 'unknown-key' });
    expect(standIn.calls).toEqual([]);
  });

  it('serves a payload of no known namespace only from entries that cover all', async () => {
    const [a, b] = [standIn.createKey(), standIn.createKey()];
    const keys = keysOf([
      { namespaces: ['orders'], write: a },
      { namespaces: ['*'], write: null, read: [b], foreignFormats: ['stdgo'] },
    ]);
    const unwrap = (ciphertext: Uint8Array) =>
      keys.unwrap(
        { kind: 'kms', format: 'stdgo', claimedKey: undefined, ciphertext, encryptionContext: new Map() },
        within(undefined),
      );
    expect((await unwrap(standIn.wrap(b, new Uint8Array(32)))).id).toBe(b);
    expect(await failureOf(() => unwrap(standIn.wrap(a, new Uint8Array(32))))).toMatchObject({ reason: 'unknown-key' });
  });

  it('reads with a replica what its sister wrote, in its own Region', async () => {
    const primary = standIn.createKey({ region: 'us-east-1', multiRegion: true });
    const replica = standIn.replicate(primary, 'eu-west-1');
    const writer = keysOf([{ namespaces: ['orders'], write: primary }]);
    const reader = keysOf([{ namespaces: ['orders'], write: replica }]);
    const { encryptedDataKeys } = await writer.generate(contextOf('orders'), within('orders'));
    expect((await read(reader, encryptedDataKeys)).id).toBe(replica);
    expect(standIn.calls.at(-1)).toMatchObject({ keyId: replica, region: 'eu-west-1' });
  });

  it('turns to a replica when a Region is out, within the deadline', async () => {
    const primary = standIn.createKey({ region: 'us-east-1', multiRegion: true });
    const replica = standIn.replicate(primary, 'eu-west-1');
    const keys = keysOf([{ namespaces: ['orders'], write: primary, read: [replica] }]);
    const { encryptedDataKeys } = await keys.generate(contextOf('orders'), within('orders'));
    standIn.trouble = ({ region }) => (region === 'us-east-1' ? 'hang' : 'ok');
    const key = await keys.unwrap(
      { kind: 'message', encryptedDataKeys, encryptionContext: contextOf('orders') },
      within('orders', 1500),
    );
    expect(key.id).toBe(replica);
  });

  it('does not take two single-Region keys for one another, whatever their ids', async () => {
    const ours = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const keys = keysOf([{ namespaces: ['orders'], write: ours }]);
    for (const named of [
      ours.replace('eu-west-1', 'us-east-1'),
      ours.replace('111122223333', '444455556666'),
      ours.toUpperCase(),
      `${ours} `,
      ours.replace(':key/', ':alias/'),
    ])
      expect(await failureOf(() => read(keys, [wrappedBy(named, Buffer.alloc(99))]))).toMatchObject({
        reason: 'unknown-key',
      });
    expect(standIn.calls).toEqual([]);
  });

  it('tries the wrapped keys of a message until one opens, and one of each KMS key', async () => {
    const [a, b] = [standIn.createKey(), standIn.createKey()];
    const keys = keysOf([{ namespaces: ['orders'], write: a, read: [b] }]);
    const good = standIn.wrap(b, new Uint8Array(32).fill(9), { 'temporal-namespace': 'orders' });
    const key = await read(keys, [wrappedBy(a, Buffer.alloc(80)), wrappedBy(b, good)]);
    expect(key.bytes[0]).toBe(9);
    standIn.calls.length = 0;
    const junk = Array.from({ length: 1000 }, () => wrappedBy(a, Buffer.alloc(80)));
    expect(await failureOf(() => read(keys, junk))).toMatchObject({ reason: 'wrong-context' });
    expect(standIn.calls.length).toBe(1);
  });

  it('takes a ciphertext of another key in a message that names ours for what it is', async () => {
    const [a, b] = [standIn.createKey(), standIn.createKey()];
    const keys = keysOf([{ namespaces: ['orders'], write: a }]);
    const moved = [wrappedBy(a, standIn.wrap(b, new Uint8Array(32), { 'temporal-namespace': 'orders' }))];
    expect(await failureOf(() => read(keys, moved))).toMatchObject({ reason: 'wrong-context' });
  });

  it('refuses what cannot be a data key, and calls for no oversized ciphertext', async () => {
    const arn = standIn.createKey();
    const keys = keysOf([{ namespaces: ['orders'], write: arn }]);
    for (const length of [0, 6145])
      expect(await failureOf(() => read(keys, [wrappedBy(arn, Buffer.alloc(length))]))).toMatchObject({
        reason: 'malformed',
      });
    expect(standIn.calls).toEqual([]);
    const short = standIn.wrap(arn, new Uint8Array(16), { 'temporal-namespace': 'orders' });
    expect(await failureOf(() => read(keys, [wrappedBy(arn, short)]))).toMatchObject({ reason: 'malformed' });
  });

  it('cannot be configured with an alias', () => {
    expect(() => keysOf([{ namespaces: ['*'], write: 'alias/orders' }])).toThrow(
      '"alias/orders" is not an ARN of a KMS key',
    );
  });
});

describe('a wrapped key of a foreign format', () => {
  it('opens with the configured key that its writer means, however it names it, and the claim is never sent', async () => {
    const [other, arn] = [standIn.createKey(), standIn.createKey()];
    standIn.createAlias('alias/orders', arn);
    const keys = keysOf([{ namespaces: ['orders'], write: other, read: [arn], foreignFormats: ['stdgo'] }]);
    const id = arn.slice(arn.indexOf('/') + 1);
    const ciphertext = standIn.wrap(arn, new Uint8Array(32), { purpose: 'x' });
    const claims = [
      arn,
      `awskms:///${arn}?region=eu-central-1`,
      id,
      `awskms:///${id}?region=eu-central-1`,
      'alias/orders',
      'awskms:///alias/orders?region=eu-central-1',
      'arn:aws:kms:eu-central-1:111122223333:alias/orders',
      '',
      undefined,
    ];
    for (const claimedKey of claims) {
      const encryptionContext = new Map([['purpose', 'x']]);
      const request = { kind: 'kms', format: 'stdgo', claimedKey, ciphertext, encryptionContext } as const;
      expect((await keys.unwrap(request, within('orders'))).id).toBe(arn);
    }
    expect(new Set(standIn.calls.map((call) => call.keyId))).toEqual(new Set([arn, other]));
    // Where the claim leaves both to choose from, the second is asked once: then it is known which opens them.
    expect(standIn.count('Decrypt', other)).toBe(1);
  });

  it('is refused without a call when it names a key that is not ours', async () => {
    const keys = keysOf([{ namespaces: ['orders'], write: standIn.createKey(), foreignFormats: ['stdgo'] }]);
    for (const claimedKey of [
      standIn.createKey(),
      'some-id',
      'arn:aws:kms:us-east-1:111122223333:alias/orders',
      'arn:aws:kms:eu-central-1:999999999999:alias/orders',
      'awskms://evil/alias',
      'gcpkms:///x',
    ]) {
      const [ciphertext, encryptionContext] = [Buffer.alloc(99), new Map()];
      const request = { kind: 'kms', format: 'stdgo', claimedKey, ciphertext, encryptionContext } as const;
      expect(await failureOf(() => keys.unwrap(request, within('orders')))).toMatchObject({ reason: 'unknown-key' });
    }
    expect(standIn.calls).toEqual([]);
  });

  describe('that names no key', () => {
    const sample = (ciphertext: Uint8Array) =>
      ({
        kind: 'kms',
        format: 'kms-python-sample',
        claimedKey: undefined,
        ciphertext,
        encryptionContext: new Map(),
      }) as const;

    function tenKeys() {
      const arns = Array.from({ length: 10 }, () => standIn.createKey());
      const keys = keysOf([{ namespaces: ['orders'], write: null, read: arns, foreignFormats: ['kms-python-sample'] }]);
      const wrapped = (arn: string | undefined, count: number) =>
        Array.from({ length: count }, (_, i) => sample(standIn.wrap(arn as string, new Uint8Array(32).fill(i))));
      return { arns, keys, wrapped };
    }

    it('is searched for once, and its brothers are asked of the key that opened it', async () => {
      const { arns, keys, wrapped } = tenKeys();
      const junk = Array.from({ length: 3 }, (_, i) => sample(Buffer.alloc(99, i)));
      const page = [...junk, ...wrapped(arns[6], 30)];
      const opened = await Promise.allSettled(page.map((request) => keys.unwrap(request, within('orders', 60_000))));
      expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(30);
      expect(standIn.calls).toHaveLength(3 * 10 + 7 + 29);
      standIn.calls.length = 0;
      for (const request of wrapped(arns[6], 5)) await keys.unwrap(request, within('orders'));
      expect(standIn.calls).toHaveLength(5);
    });

    it('is asked of the keys that opened the last ones first, where two keys take turns', async () => {
      const { arns, keys, wrapped } = tenKeys();
      const [some, others] = [wrapped(arns[3], 10), wrapped(arns[8], 10)];
      const page = some.flatMap((request, index) => [request, ...others.slice(index, index + 1)]);
      for (const request of page) await keys.unwrap(request, within('orders'));
      expect(standIn.calls.length).toBeLessThan(2 * page.length + 12);
    });

    it('costs a request a bounded number of tries, and the next request its own', async () => {
      const { arns, keys, wrapped } = tenKeys();
      const cache = new DataKeyCache(keys, { maxFetchesPerRequest: 20 });
      const request = () => ({
        ...within('orders'),
        usage: { keyIds: new Set<string>(), cacheHits: 0, cacheMisses: 0 },
      });
      const [good] = wrapped(arns[9], 1);
      if (good === undefined) throw new Error('no data key');
      await cache.unwrap(good, request());
      standIn.calls.length = 0;
      const one = request();
      const junk = Array.from({ length: 20 }, (_, i) => sample(Buffer.alloc(99, i)));
      const outcomes = await Promise.allSettled(junk.map(async (it) => cache.unwrap(it, one)));
      expect(standIn.calls.length).toBeLessThanOrEqual(40);
      expect(outcomes.some((it) => it.status === 'rejected' && it.reason instanceof TooManyKeysError)).toBe(true);
      const last = standIn.wrap(arns[8] as string, new Uint8Array(32).fill(5));
      expect((await cache.unwrap(sample(last), request())).id).toBe(arns[8]);
    });

    it('is tried at the expense of whoever waits for it and has not used up their own tries', async () => {
      const { arns, keys } = tenKeys();
      const cache = new DataKeyCache(keys, { maxFetchesPerRequest: 4 });
      const request = () => ({
        ...within('orders'),
        usage: { keyIds: new Set<string>(), cacheHits: 0, cacheMisses: 0 },
      });
      const wanted = sample(standIn.wrap(arns[6] as string, new Uint8Array(32)));
      const opened = [request(), request()].map(async (it) => cache.unwrap(wanted, it));
      expect((await Promise.all(opened)).map(({ id }) => id)).toEqual([arns[6], arns[6]]);
    });
  });

  it('of a static key is none of KMS', async () => {
    const keys = keysOf([{ namespaces: ['*'], write: standIn.createKey() }]);
    expect(await failureOf(() => keys.unwrap({ kind: 'static', keyId: '' }, within('orders')))).toMatchObject({
      reason: 'unknown-key',
    });
  });
});

describe('a refusal of KMS', () => {
  it.each([
    ['disabled', 'key-disabled'],
    ['pending-deletion', 'key-disabled'],
    ['access-denied', 'key-access-denied'],
  ] as const)('for a key that is %s: %s, at once, on reading and on writing', async (state, reason) => {
    const arn = standIn.createKey();
    const keys = keysOf([{ namespaces: ['orders'], write: arn }]);
    const { encryptedDataKeys } = await keys.generate(contextOf('orders'), within('orders'));
    standIn.calls.length = 0;
    standIn.setState(arn, state);
    const error = await failureOf(() => read(keys, encryptedDataKeys));
    expect(error).toBeInstanceOf(CannotOpenError);
    expect(error).toMatchObject({ reason });
    const writing = await failureOf(() =>
      keysOf([{ namespaces: ['orders'], write: arn }]).generate(contextOf('orders'), within('orders')),
    );
    expect(writing).toBeInstanceOf(CannotEncodeError);
    expect(writing).toMatchObject({ reason });
    expect(standIn.calls.length).toBe(2);
  });

  it('for a key that is gone says that it is not to be had', async () => {
    const gone = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const keys = keysOf([{ namespaces: ['orders'], write: gone }]);
    expect(await failureOf(() => read(keys, [wrappedBy(gone, Buffer.alloc(99))]))).toMatchObject({
      reason: 'key-disabled',
    });
  });

  it('keeps AWS’s words and request ids out of everything that could be passed on, and names the configured key', async () => {
    const arn = standIn.createKey();
    const keys = keysOf([{ namespaces: ['orders'], write: arn }]);
    const { encryptedDataKeys } = await keys.generate(contextOf('orders'), within('orders'));
    for (const exception of [
      'DisabledException',
      'AccessDeniedException',
      'InvalidCiphertextException',
      'IncorrectKeyException',
      'ThrottlingException',
      'KMSInternalException',
      'ValidationException',
      'SomethingNewException',
      'not a <name>',
    ]) {
      standIn.trouble = () => ({ exception, status: exception === 'KMSInternalException' ? 500 : 400 });
      const fresh = keysOf([{ namespaces: ['orders'], write: arn }]);
      for (const attempt of [
        () => read(fresh, encryptedDataKeys),
        () => fresh.generate(contextOf('orders'), within('orders')),
      ]) {
        const error = (await failureOf(attempt)) as Error;
        const everything = `${error.message} ${JSON.stringify(error)} ${error.cause}`;
        expect(everything).not.toContain(CANARY);
        expect(everything.replaceAll(arn, '')).not.toContain('arn:aws');
        if (!(error instanceof KeyUnavailableError)) expect(error.message).toContain(arn);
        expect([CannotOpenError, CannotEncodeError, KeyUnavailableError].some((type) => error instanceof type)).toBe(
          true,
        );
      }
    }
  });

  it('of a disabled key is remembered for all that it wrapped, and one of access for its context alone', async () => {
    const arn = standIn.createKey();
    const keys = keysOf([{ namespaces: ['*'], write: arn }]);
    const readIn = (namespace: string) => {
      const wrapped = standIn.wrap(arn, new Uint8Array(32), { 'temporal-namespace': namespace });
      return read(keys, [wrappedBy(arn, wrapped)], namespace);
    };
    standIn.setState(arn, 'access-denied');
    for (let i = 0; i < 10; i++) await failureOf(() => readIn('orders'));
    expect(standIn.calls.length).toBe(1);
    standIn.setState(arn, 'enabled');
    await readIn('payments');
    standIn.setState(arn, 'disabled');
    await failureOf(() => readIn('payments'));
    for (let i = 0; i < 10; i++) await failureOf(() => readIn(`other ${i}`));
    expect(standIn.calls.length).toBe(3);
  });
});

describe('a fault that may pass', () => {
  it('is tried again, after a pause, and answered as if nothing had been', async () => {
    for (const fault of [
      'throttle',
      'reset',
      'garbage',
      'another-key',
      'empty',
      { exception: 'KMSInternalException', status: 500 },
    ] as const) {
      const arn = standIn.createKey();
      const keys = keysOf([{ namespaces: ['orders'], write: arn }]);
      let left = 2;
      standIn.trouble = () => (left-- > 0 ? fault : 'ok');
      const { dataKey, encryptedDataKeys } = await keys.generate(contextOf('orders'), within('orders'));
      left = 2;
      expect((await read(keys, encryptedDataKeys)).bytes).toEqual(dataKey.bytes);
    }
  });

  it('such as no answer at all, is given up and tried again', async () => {
    const keys = keysOf([{ namespaces: ['orders'], write: standIn.createKey() }], { ...CALLS, attemptMs: 400 });
    let left = 1;
    standIn.trouble = () => (left-- > 0 ? 'hang' : 'ok');
    await keys.generate(contextOf('orders'), within('orders'));
    expect(standIn.calls.length).toBe(2);
  });

  it.each([
    ['throttle', 'throttled'],
    [{ exception: 'LimitExceededException' }, 'throttled'],
    ['reset', 'unreachable'],
    ['garbage', 'unreachable'],
    ['another-key', 'unreachable'],
    ['empty', 'unreachable'],
    [{ exception: 'DependencyTimeoutException', status: 500 }, 'unreachable'],
    [{ exception: 'KeyUnavailableException', status: 500 }, 'unreachable'],
    [{ exception: 'ServiceUnavailable', status: 503 }, 'unreachable'],
    [{ exception: 'ExpiredTokenException' }, 'unreachable'],
    ['hang', 'timed-out'],
  ] as const)('that lasts (%j) is unavailable: %s', async (fault, reason) => {
    const arn = standIn.createKey();
    const keys = keysOf(
      [{ namespaces: ['orders'], write: arn }],
      // Long enough for a busy machine to send the call.
      fault === 'hang' ? { ...CALLS, attemptMs: 1_000 } : CALLS,
    );
    standIn.trouble = () => fault;
    const wrapped = standIn.wrap(arn, new Uint8Array(32), { 'temporal-namespace': 'orders' });
    const error = await failureOf(() => read(keys, [wrappedBy(arn, wrapped)]));
    expect(error).toBeInstanceOf(KeyUnavailableError);
    expect(error).toMatchObject({ reason, retryAfterSeconds: 1 });
    expect(standIn.calls.length).toBe(3);
  });

  it('never takes longer than the deadline', async () => {
    const arn = standIn.createKey();
    const keys = keysOf([{ namespaces: ['orders'], write: arn }], { attempts: 1_000, attemptMs: 60_000, pauseMs: 50 });
    for (const fault of ['hang', 'throttle'] as const) {
      standIn.trouble = () => fault;
      const started = Date.now();
      await failureOf(() =>
        keys.unwrap(
          { kind: 'message', encryptedDataKeys: [wrappedBy(arn, Buffer.alloc(99))], encryptionContext: new Map() },
          within('orders', 300),
        ),
      );
      expect(Date.now() - started).toBeLessThan(20_000);
    }
  });

  it('of an unreachable endpoint is unavailable', async () => {
    const arn = standIn.createKey();
    const keys = keysOf([{ namespaces: ['orders'], write: arn }]);
    await standIn.close();
    expect(await failureOf(() => keys.generate(contextOf('orders'), within('orders')))).toMatchObject({
      name: 'KeyUnavailableError',
      reason: 'unreachable',
    });
    standIn = await KmsStandIn.start();
  });

  it('of one key does not hold up another, however many payloads wait for the one', async () => {
    const [bad, good] = [standIn.createKey(), standIn.createKey()];
    const keys = keysOf([{ namespaces: ['orders'], write: good, read: [bad] }], { attempts: 1, attemptMs: 60_000 });
    standIn.trouble = ({ keyId }) => (keyId === bad ? 'hang' : 'ok');
    const waiting = Array.from({ length: 200 }, () => failureOf(() => read(keys, [wrappedBy(bad, Buffer.alloc(99))])));
    await Promise.all(Array.from({ length: 50 }, () => keys.generate(contextOf('orders'), within('orders'))));
    while (standIn.count('Decrypt', bad) < 50) await new Promise((resolve) => setTimeout(resolve, 5));
    await keys.generate(contextOf('orders'), within('orders'));
    expect(standIn.count('Decrypt', bad)).toBe(50);
    await standIn.close();
    await Promise.all(waiting);
    standIn = await KmsStandIn.start();
  });
});
