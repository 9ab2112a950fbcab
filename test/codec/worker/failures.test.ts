/** What a worker reports when it cannot encrypt: as the SDK does it, with the SDK's own functions. */
import { describe, expect, it } from '@jest/globals';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  type DataConverter,
  defaultPayloadConverter,
  ensureApplicationFailure,
  type LoadedDataConverter,
  NexusOperationFailure,
  type PayloadCodec,
  type ProtoFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import {
  decodeOptionalFailureToOptionalError,
  encodeErrorToFailure,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import proto from '@temporalio/proto';
import { failureConverter } from '../../../codec/failure-converter.ts';
import {
  CannotEncodeError,
  createDataConverter,
  DataKey,
  type KeySource,
  KeyUnavailableError,
} from '../../../codec/index.ts';
import { markFailurePart } from '../../../codec/worker/failure-parts.ts';

const SECRET = 'card 4242 was refused';

/** A key source that can be made to fail. */
function setUp(base: DataConverter = {}) {
  const state: { fault?: Error } = {};
  const encryptedDataKeys = [
    { providerId: 'test', providerInfo: Buffer.from('k'), ciphertext: Buffer.from('wrapped') },
  ];
  const key = () => {
    if (state.fault !== undefined) throw state.fault;
    return new DataKey('k', new Uint8Array(32).fill(1)).acquire();
  };
  const source: KeySource = { unwrap: key, materialsFor: () => ({ dataKey: key(), encryptedDataKeys }) };
  const { payloadCodecs = [] } = createDataConverter({ namespace: 'orders', keys: { source } }, base);
  const converter = {
    payloadConverter: defaultPayloadConverter,
    failureConverter,
    payloadCodecs,
  } as LoadedDataConverter;
  return { state, converter, codec: payloadCodecs[0] as PayloadCodec };
}

const report = (converter: LoadedDataConverter, error: unknown) => encodeErrorToFailure(converter, error);
/** What would be stored: the SDK's objects carry more than their messages have fields. */
const stored = (failure: ProtoFailure) =>
  Buffer.from(proto.temporal.api.failure.v1.Failure.encode(failure).finish()).toString('latin1');

const outages: readonly (readonly [string, Error, RegExp])[] = [
  [
    'does not answer',
    new KeyUnavailableError('timed-out', 'KMS cannot answer: TimeoutError'),
    /^Withheld: .*did not answer/,
  ],
  ['refuses', new CannotEncodeError('KMS refuses the writing key', 'key-access-denied'), /^Withheld: .*refuses/],
  ['breaks', new TypeError('a bug'), /^Withheld: this failure/],
];

const failures: readonly (readonly [string, () => unknown])[] = [
  ['an error', () => new Error(SECRET)],
  ['an application failure with details', () => ApplicationFailure.nonRetryable(SECRET, 'Refused', { card: SECRET })],
  ['a chain of causes', () => new ApplicationFailure(SECRET, 'A', false, [SECRET], new Error(`inner ${SECRET}`))],
  ['a timeout with heartbeat details', () => new TimeoutFailure(SECRET, SECRET, TimeoutType.HEARTBEAT)],
  ['a text', () => SECRET],
  [
    'failures of a child and of a Nexus operation, five deep, each with details',
    () => {
      const ended = new CancelledFailure(SECRET, [SECRET], new Error(SECRET));
      const application = ApplicationFailure.create({ message: SECRET, details: [{ card: SECRET }], cause: ended });
      const activity = new ActivityFailure(SECRET, 'charge', '1', RetryState.TIMEOUT, 'worker', application);
      const nexus = new NexusOperationFailure(SECRET, 5, 'billing', 'cards', 'charge', undefined, activity);
      const child = new ChildWorkflowFailure('orders', { workflowId: 'w' }, 'pay', RetryState.TIMEOUT, nexus);
      return ApplicationFailure.create({ message: SECRET, details: [SECRET], cause: child });
    },
  ],
  ['a failure whose cause is the codec’s', () => new ApplicationFailure(SECRET, 'A', false, [SECRET], codecFailure())],
];

const codecFailure = () => new KeyUnavailableError('timed-out', 'KMS cannot answer: TimeoutError');

describe('reporting a failure', () => {
  it.each(failures)('encrypts %s, all of it, and gives it back', async (_what, make) => {
    const { converter } = setUp();
    const failure = await report(converter, make());
    expect(stored(failure)).not.toContain('4242');
    const error = await decodeOptionalFailureToOptionalError(converter, failure);
    expect(error?.message).toContain(SECRET);
  });

  describe.each(outages)('while the key service %s', (_what, fault, sentence) => {
    it.each(failures)('withholds %s: never readable, never a throw', async (_failure, make) => {
      const { converter, state } = setUp();
      state.fault = fault;
      const failure = await report(converter, make());
      expect(stored(failure)).not.toContain('4242');
      state.fault = undefined as never;
      const error = await decodeOptionalFailureToOptionalError(converter, failure);
      expect(error?.message).toMatch(sentence);
    });

    it('keeps the type of a withheld failure, and whether it may be retried', async () => {
      const { converter, state } = setUp();
      state.fault = fault;
      const failure = await report(converter, ApplicationFailure.nonRetryable(SECRET, 'Refused', SECRET));
      expect(failure.applicationFailureInfo).toMatchObject({ type: 'Refused', nonRetryable: true });
      expect(failure.applicationFailureInfo?.details?.payloads).toEqual([]);
    });
  });

  it('withholds behind codecs of the user’s own, too, and what those cannot encode', async () => {
    const inner: PayloadCodec = {
      encode: async (payloads) => payloads.map((it) => ({ ...it })),
      decode: async (payloads) => payloads,
    };
    const { converter, state } = setUp({ payloadCodecs: [inner] });
    state.fault = new KeyUnavailableError('unreachable', 'KMS');
    expect(stored(await report(converter, new Error(SECRET)))).toContain('Withheld');
    inner.encode = () => Promise.reject(new Error('their bug'));
    expect(stored(await report(converter, new Error(SECRET)))).toContain('Withheld');
  });

  it('withholds nothing of what is not a failure, though a part of one comes with it', async () => {
    const { codec, state } = setUp();
    const part = defaultPayloadConverter.toPayload(SECRET);
    markFailurePart(part, 'attributes');
    state.fault = codecFailure();
    const both = [part, defaultPayloadConverter.toPayload('a result')];
    await expect(codec.encode(both)).rejects.toThrow('KMS cannot answer');
  });

  it('leaves of what the codec itself could not do its own words readable, and no others', async () => {
    const { converter, codec, state } = setUp();
    state.fault = codecFailure();
    const thrown = await codec.encode([defaultPayloadConverter.toPayload(1)]).catch((it: unknown) => it);
    const reworded = ApplicationFailure.fromError(thrown as Error, {
      message: SECRET,
      details: [SECRET],
      type: SECRET,
    });
    const failure = await report(converter, reworded);
    expect(stored(failure)).not.toContain('4242');
    expect(failure.message).toBe('KMS cannot answer: TimeoutError');
  });

  it('leaves what the codec itself could not do readable, also as the SDK passes it on', async () => {
    const { converter, codec, state } = setUp();
    state.fault = new KeyUnavailableError('unreachable', 'KMS cannot answer: ECONNRESET');
    const thrown = await codec.encode([defaultPayloadConverter.toPayload(SECRET)]).catch((it: unknown) => it);
    expect(thrown).toBeInstanceOf(KeyUnavailableError);
    const again = await codec.encode([defaultPayloadConverter.toPayload(SECRET)]).catch((it: unknown) => it);
    const passedOn = ApplicationFailure.fromError(again as Error, { message: 'Failed to parse: KMS cannot answer' });
    for (const error of [thrown, ensureApplicationFailure(thrown), passedOn]) {
      const failure = await report(converter, error);
      expect(failure).toMatchObject({
        message: expect.stringContaining('KMS cannot answer'),
        source: 'temporal-codec-server',
        applicationFailureInfo: { type: 'KeyUnavailableError' },
      });
      expect(failure.encodedAttributes ?? undefined).toBeUndefined();
    }
    // The SDK writes into an application failure: the next one is not the same.
    expect((thrown as Error).message).toBe('KMS cannot answer: ECONNRESET');
  });

  it('keeps a readable failure readable, and hides the rest of a chain, when a workflow fails of it', async () => {
    const { converter } = setUp();
    const received: ProtoFailure = {
      message: 'activity failed for 4242',
      activityFailureInfo: { activityType: { name: 'charge' }, activityId: '1' },
      cause: { message: 'KMS cannot answer', source: 'temporal-codec-server', applicationFailureInfo: { type: 'X' } },
    };
    const error = failureConverter.failureToError(received, defaultPayloadConverter);
    expect(error).toBeInstanceOf(ActivityFailure);
    const failure = await report(converter, error);
    expect(failure.cause?.message).toBe('KMS cannot answer');
    expect(stored(failure)).not.toContain('4242');

    const old = { ...received, cause: { message: 'card 4242', applicationFailureInfo: { type: 'X' } } };
    expect(
      stored(await report(converter, failureConverter.failureToError(old, defaultPayloadConverter))),
    ).not.toContain('4242');
  });

  it('says the same however often an error is converted', async () => {
    const { converter } = setUp();
    const received: ProtoFailure = { message: SECRET, applicationFailureInfo: { type: 'X' } };
    const error = failureConverter.failureToError(received, defaultPayloadConverter);
    await report(converter, error);
    const twice = await decodeOptionalFailureToOptionalError(converter, await report(converter, error));
    expect(twice?.message).toBe(SECRET);
  });
});
