/**
 * Data keys from AWS KMS. Which KMS key may serve which namespace is configured; what a payload says
 * about its key only chooses among those, and every call names the key explicitly.
 */
import { KEY_LENGTH } from '../../aws-encryption-sdk/algorithm-suites.ts';
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { type Clock, systemClock } from '../../calls/clock.ts';
import { CannotEncodeError, type CannotOpenCause, CannotOpenError, KeyUnavailableError } from '../../errors.ts';
import { createNamespaceMatcher, type NamespaceMatcher } from '../../namespace-pattern.ts';
import { asBuffer } from '../../payload.ts';
import { NO_CREDENTIALS } from '../aws-fault.ts';
import { DataKey } from '../data-key.ts';
import { namesPresent, namesWanted } from '../key-names.ts';
import {
  type DataKeyProvider,
  type DataKeyRequest,
  type GeneratedDataKey,
  KMS_PROVIDER_ID,
  type KmsKeyRequest,
  type MessageKeyRequest,
  type ProviderContext,
} from '../key-source.ts';
import {
  bindsNamespace,
  type ForeignKmsFormat,
  findUnsafeForeignUses,
  isListedContext,
  type KeyUriContext,
  soleNamespace,
} from './foreign-formats.ts';
import { isReplica, type KeyArn, mayMean, parseKeyArn } from './key-arn.ts';
import { type Kms, KmsFault, type KmsFaultKind, type KmsKey } from './kms-api.ts';
import { type CallSettings, KmsCaller, mayPass } from './kms-caller.ts';
import { LikelyKeys } from './likely-keys.ts';

/** Pairs namespaces with KMS keys. */
export interface KmsKeyPairing {
  /** Full namespace names, with `*` for any run of characters. */
  readonly namespaces: readonly string[];
  /** ARN of the key that wraps new data keys; `null`: these namespaces are only read. */
  readonly write: string | null;
  /** ARNs of further keys that may unwrap. */
  readonly read?: readonly string[];
  /** ARN of a role to assume for these keys. */
  readonly assumeRole?: string;
  /** Formats of others whose data keys these keys unwrap as well. Not named means not read. */
  readonly foreignFormats?: readonly ForeignKmsFormat[];
  /** Encryption contexts that key URIs of temporal-proxy may name, each in full. Default: none. */
  readonly keyUriContexts?: readonly KeyUriContext[];
}

/** What the key source stands on. */
export interface KmsKeysDeps {
  readonly kms: Kms;
  readonly clock?: Clock;
  readonly calls?: Partial<CallSettings>;
  /** Numbers from 0 to 1, for the jitter. */
  readonly random?: () => number;
}

interface Pairing {
  readonly covers: NamespaceMatcher;
  /** Whether it covers every namespace, and with that a payload of which no namespace is known. */
  readonly coversAll: boolean;
  readonly write: KmsKey | undefined;
  readonly keys: readonly KmsKey[];
  readonly foreignFormats: readonly ForeignKmsFormat[];
  readonly keyUriContexts: readonly KeyUriContext[];
  /** Of these keys, those that serve no other namespace in any pairing. */
  readonly soleKeys: readonly KmsKey[];
}

/** A wrapped key and one key that may unwrap it. */
interface Candidate {
  readonly key: KmsKey;
  readonly ciphertext: Uint8Array;
}

/** KMS takes no longer ciphertext. */
const LONGEST_CIPHERTEXT = 6144;
/** Keys that are tried for one payload. */
const MOST_CANDIDATES = 10;

/** What a refusal of KMS means for a payload; the earlier in the list, the more it tells. */
const REASONS: readonly [KmsFaultKind, CannotOpenCause][] = [
  ['access-denied', 'key-access-denied'],
  ['no-credentials', 'key-access-denied'],
  ['disabled', 'key-disabled'],
  ['invalid-ciphertext', 'wrong-context'],
  ['incorrect-key', 'unknown-key'],
];

export class KmsKeys implements DataKeyProvider {
  readonly unwraps = ['message', 'kms'] as const;
  readonly #pairings: readonly Pairing[];
  readonly #kms: Kms;
  readonly #caller: KmsCaller;
  readonly #clock: Clock;
  readonly #likelyKeys = new LikelyKeys();

  /** @throws Error when something that must be the ARN of a key is none, or a foreign format is unsafe with its key */
  constructor(pairings: readonly KmsKeyPairing[], { kms, clock = systemClock, calls, random }: KmsKeysDeps) {
    const [unsafe] = findUnsafeForeignUses(pairings);
    if (unsafe !== undefined) throw new Error(`[${unsafe.index}].${unsafe.field}: ${unsafe.message}`);
    this.#pairings = pairings.map((pairing) => compile(pairing, pairings));
    this.#kms = kms;
    this.#clock = clock;
    this.#caller = new KmsCaller(clock, calls, random);
  }

  unwrap(request: DataKeyRequest, context: ProviderContext): Promise<DataKey> {
    if (request.kind === 'static') throw new CannotOpenError('unknown-key', 'KMS holds no static keys');
    const { namespace } = context;
    const candidates = this.#candidates(request, namespace);
    // A message names its keys: what is left to choose among are replicas, in the order of the configuration.
    if (request.kind === 'message' || candidates.length === 1)
      return this.#tryAll(request, candidates, context, () => candidates.shift());
    const group = this.#likelyKeys.groupOf(request.format, namespace);
    return group.inTurn(async () => {
      const key = await this.#tryAll(request, candidates, context, () => group.takeLikeliest(candidates));
      group.opened(key.id);
      return key;
    });
  }

  /** @param next takes one of what is left */
  async #tryAll(
    request: MessageKeyRequest | KmsKeyRequest,
    left: readonly Candidate[],
    context: ProviderContext,
    next: () => Candidate | undefined,
  ): Promise<DataKey> {
    const faults: KmsFault[] = [];
    for (;;) {
      // A key that hangs leaves time for those after it, such as its replica in another Region.
      const [start, count] = [this.#clock.now(), left.length];
      const share = () => start + (context.deadline - start) / count;
      const candidate = next();
      if (candidate === undefined) throw unopened(request, faults);
      if (faults.length > 0) context.beforeAnotherTry?.();
      try {
        return await this.#decrypt(candidate, request.encryptionContext, share);
      } catch (error) {
        if (!(error instanceof KmsFault)) throw error;
        faults.push(error);
      }
    }
  }

  generate(
    encryptionContext: EncryptionContext,
    context: ProviderContext & { readonly namespace: string },
  ): Promise<GeneratedDataKey> {
    const { namespace } = context;
    const key = this.#pairings.find((pairing) => pairing.covers(namespace))?.write;
    if (key === undefined)
      throw new CannotEncodeError(`no KMS key writes the namespace ${namespace}: give it one with keys.kms[].write`);
    return this.#generateWith(key, encryptionContext, context);
  }

  async #generateWith(
    key: KmsKey,
    encryptionContext: EncryptionContext,
    context: ProviderContext,
  ): Promise<GeneratedDataKey> {
    try {
      const { plaintext, ciphertext } = await this.#caller.call(
        key,
        encryptionContext,
        () => context.deadline,
        (signal) => this.#kms.generateDataKey(key, encryptionContext, signal),
      );
      return {
        dataKey: new DataKey(key.arn, plaintext),
        encryptedDataKeys: [{ providerId: KMS_PROVIDER_ID, providerInfo: Buffer.from(key.arn, 'utf8'), ciphertext }],
      };
    } catch (error) {
      if (!(error instanceof KmsFault)) throw error;
      throw (
        unavailable([error]) ??
        new CannotEncodeError(
          error.kind === 'no-credentials'
            ? `KMS cannot be asked for a data key: ${NO_CREDENTIALS}`
            : `KMS refuses the writing key ${key.arn}: ${error.awsName}`,
          reasonOf([error]),
        )
      );
    }
  }

  async #decrypt(candidate: Candidate, context: EncryptionContext, deadline: () => number): Promise<DataKey> {
    const { key, ciphertext } = candidate;
    const plaintext = await this.#caller.call(key, context, deadline, (signal) =>
      this.#kms.decrypt(key, ciphertext, context, signal),
    );
    if (plaintext.length === KEY_LENGTH) return new DataKey(key.arn, plaintext);
    plaintext.fill(0);
    throw new CannotOpenError('malformed', `what KMS decrypted is not a data key of ${KEY_LENGTH * 8} bits`);
  }

  #candidates(request: MessageKeyRequest | KmsKeyRequest, namespace: string | undefined): Candidate[] {
    const covering = this.#pairings.filter((it) => (namespace === undefined ? it.coversAll : it.covers(namespace)));
    const keys = covering.flatMap((it) => keysFor(it, request));
    const candidates = candidatesAmong(keys, request).slice(0, MOST_CANDIDATES);
    if (candidates.length === 0) throw this.#refusal(covering, request);
    for (const { ciphertext } of candidates)
      if (ciphertext.length === 0 || ciphertext.length > LONGEST_CIPHERTEXT)
        throw new CannotOpenError('malformed', `a wrapped key of ${ciphertext.length} bytes is none of KMS`);
    return candidates;
  }

  #refusal(covering: readonly Pairing[], request: MessageKeyRequest | KmsKeyRequest): CannotOpenError {
    const named = (pairings: readonly Pairing[]) =>
      candidatesAmong(
        pairings.flatMap((it) => it.keys),
        request,
      ).length > 0;
    if (named(covering))
      return new CannotOpenError('format-not-configured', `its KMS key is not configured to read ${request.format}`);
    return named(this.#pairings)
      ? new CannotOpenError('wrong-namespace', `its KMS key serves other namespaces: ${namesWanted(request)}`)
      : new CannotOpenError(
          'unknown-key',
          `it names the key ${namesWanted(request)}; configured for the namespace are ${namesPresent(covering.flatMap((it) => it.keys.map(({ arn }) => arn)))}`,
        );
  }
}

function compile(pairing: KmsKeyPairing, all: readonly KmsKeyPairing[]): Pairing {
  const { namespaces, write, read = [], assumeRole, foreignFormats = [], keyUriContexts = [] } = pairing;
  const keys = [...new Set([...(write === null ? [] : [write]), ...read])].map((arn): KmsKey => {
    const parsed = parseKeyArn(arn);
    if (parsed === undefined) throw new Error(`${JSON.stringify(arn)} is not an ARN of a KMS key`);
    return { ...parsed, assumeRole };
  });
  return {
    covers: createNamespaceMatcher(namespaces),
    coversAll: namespaces.includes('*'),
    write: write === null ? undefined : keys[0],
    keys,
    foreignFormats,
    keyUriContexts,
    soleKeys: keys.filter(({ arn }) => soleNamespace(all, arn) !== undefined),
  };
}

/** The keys of a pairing that may unwrap for the format of a request: all of them for a message of ours. */
function keysFor(
  pairing: Pairing,
  { format, encryptionContext }: MessageKeyRequest | KmsKeyRequest,
): readonly KmsKey[] {
  if (format === undefined) return pairing.keys;
  if (!pairing.foreignFormats.includes(format)) return [];
  // The context of a key URI is the writer's claim, and the other formats' are what their producers always write.
  const claimed = format === 'temporal-proxy' && encryptionContext.size > 0;
  if (claimed && !isListedContext(pairing.keyUriContexts, encryptionContext)) return [];
  return bindsNamespace(format, encryptionContext) ? pairing.keys : pairing.soleKeys;
}

/** The configured keys that may open it, the likeliest first, each once. */
function candidatesAmong(all: readonly KmsKey[], request: MessageKeyRequest | KmsKeyRequest): Candidate[] {
  const keys = all.filter((key, index) => all.findIndex(({ arn }) => arn === key.arn) === index);
  if (request.kind === 'kms')
    return keys.filter(mayMean(request.claimedKey)).map((key) => ({ key, ciphertext: request.ciphertext }));
  const named = request.encryptedDataKeys.flatMap(({ providerId, providerInfo, ciphertext }) => {
    const arn = providerId === KMS_PROVIDER_ID ? parseKeyArn(asBuffer(providerInfo).toString('utf8')) : undefined;
    return arn === undefined ? [] : [{ arn, ciphertext }];
  });
  // A message has one data key, which each KMS key wraps once: further ones would only make calls.
  const once = named.filter(({ arn }, index) => named.findIndex((it) => it.arn.arn === arn.arn) === index);
  const pick = (fits: (key: KeyArn, named: KeyArn) => boolean): Candidate[] =>
    once.flatMap(({ arn, ciphertext }) => keys.filter((key) => fits(key, arn)).map((key) => ({ key, ciphertext })));
  return [...pick((key, arn) => key.arn === arn.arn), ...pick(isReplica)];
}

/** The error when none of the candidates opened it: what may pass comes before what will not. */
function unopened(request: DataKeyRequest, faults: readonly KmsFault[]): Error {
  const passing = unavailable(faults);
  if (passing !== undefined) return passing;
  const reason = reasonOf(faults);
  // A message names its key, so a ciphertext of another key was put there by somebody.
  const tampered = request.kind === 'message' && reason === 'unknown-key';
  return new CannotOpenError(
    tampered ? 'wrong-context' : reason,
    faults.every(({ kind }) => kind === 'no-credentials')
      ? `KMS cannot be asked for a data key: ${NO_CREDENTIALS}`
      : `KMS refuses the key ${namesWanted(request)}: ${namesOf(faults)}`,
  );
}

function unavailable(faults: readonly KmsFault[]): KeyUnavailableError | undefined {
  const fault = faults.find(mayPass);
  if (fault === undefined) return undefined;
  const reason = fault.kind === 'throttled' || fault.kind === 'timed-out' ? fault.kind : 'unreachable';
  return new KeyUnavailableError(reason, `KMS cannot answer: ${namesOf(faults)}`);
}

function reasonOf(faults: readonly KmsFault[]): CannotOpenCause {
  return REASONS.find(([kind]) => faults.some((fault) => fault.kind === kind))?.[1] ?? 'unknown-key';
}

function namesOf(faults: readonly KmsFault[]): string {
  return [...new Set(faults.map((fault) => fault.awsName))].join(', ');
}
