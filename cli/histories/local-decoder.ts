/** Decodes and encodes with keys on this machine: of a keyring file, or of a codec server's configuration. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pauseAfter } from '../../codec/calls/backoff.ts';
import { type DecodeContext, type Decoder, decodePayloads } from '../../codec/decode.ts';
import { encodePayloads } from '../../codec/encode.ts';
import { CodecError, KeyUnavailableError } from '../../codec/errors.ts';
import { recognizeAll } from '../../codec/formats/all-formats.ts';
import type { Payload } from '../../codec/payload.ts';
import { createCustomCodec } from '../../codec/temporal-codec.ts';
import { ConfigFileError, checkConfig, loadConfigFile } from '../../config/check.ts';
import { formatProblems } from '../../config/problem.ts';
import type { CodecServerConfig, KeysConfig } from '../../config/schema.ts';
import { NotHereError, openServerKeys } from '../../lambda/server/open-keys.ts';
import { type Decoded, DecoderError, type PayloadDecoder, wait } from './payload-decoder.ts';

/** Which keys to use. */
export interface LocalKeys {
  readonly keyring: string | undefined;
  readonly config: string | undefined;
  /** The namespace whose keys open what is bound to none. */
  readonly namespace: string | undefined;
  readonly cwd: string;
}

/** Decodes, and encodes again with the key that writes now. */
export interface LocalCodec extends PayloadDecoder {
  /** @throws DecoderError when the namespace has no key to write with */
  encode(payloads: readonly Payload[], namespace: string): Promise<readonly Payload[]>;
}

/** Bytes that one payload may inflate to. */
const INFLATED_BYTES = 64 * 1024 * 1024;
const MAX_LAYERS = 8;
/** Milliseconds for the keys of a batch. */
const TIMEOUT_MS = 30_000;
const ATTEMPTS = 6;

/**
 * Opens the keys.
 *
 * @throws DecoderError when they cannot be used, or there is no such file
 */
export async function openLocalDecoder({ keyring, config, namespace, cwd }: LocalKeys): Promise<LocalCodec> {
  const {
    keys: keysConfig,
    codecs,
    compression,
  } = await orDecoderError(async () =>
    config === undefined
      ? { keys: onlyKeyring(keyring ?? ''), codecs: [], compression: null }
      : await readConfig(resolve(cwd, config)),
  );
  const file = keysConfig.keyring?.file;
  // A server makes a keyring where there is none; here a new one opens nothing.
  if (file !== undefined && !existsSync(resolve(cwd, file))) throw new DecoderError(`There is no keyring ${file}.`);
  const keys = await orDecoderError(() => openServerKeys(keysConfig, { cwd }));
  const decoder: Decoder = {
    recognize: recognizeAll,
    keys: keys.source,
    customCodecs: (codecs ?? []).map(createCustomCodec),
    maxLayers: MAX_LAYERS,
  };
  return {
    concurrency: 2,
    decode: (payloads) => decodeAll(decoder, namespace, payloads),
    encode: (payloads, into) =>
      orDecoderError(async () =>
        encodePayloads({ keys: keys.source, customCodecs: decoder.customCodecs, compression }, payloads, {
          ...contextOf(into, Date.now() + TIMEOUT_MS),
          namespace: into,
        }),
      ),
    close: () => keys.close(),
  };
}

function onlyKeyring(file: string): KeysConfig {
  return { keyring: { file }, kms: null, staticKeys: null };
}

async function readConfig(path: string): Promise<Pick<CodecServerConfig, 'keys' | 'codecs' | 'compression'>> {
  const config = await loadConfigFile(path);
  const problems = checkConfig(config);
  if (problems.length > 0) throw new DecoderError(`${path} cannot be used:\n${formatProblems(problems)}`);
  return config as CodecServerConfig;
}

/** The keys of a batch are fetched side by side; a key service that does not answer is asked again. */
async function decodeAll(
  decoder: Decoder,
  namespace: string | undefined,
  payloads: readonly Payload[],
): Promise<Decoded[]> {
  for (let attempt = 1; ; attempt++) {
    const deadline = Date.now() + TIMEOUT_MS;
    try {
      // One by one, since each may inflate to the whole limit; none is a promise once its key is there.
      const each = payloads.map((payload) => decodePayloads(decoder, [payload], contextOf(namespace, deadline)));
      return (await Promise.all(each)).map(([outcome]): Decoded => {
        if (outcome?.kind === 'decoded' || outcome?.kind === 'unchanged') return { payload: outcome.payload };
        return { closed: outcome?.kind === 'cannot-open' ? outcome.reason : 'denied' };
      });
    } catch (error) {
      if (!(error instanceof KeyUnavailableError)) throw error;
      if (attempt === ATTEMPTS) throw new DecoderError(`The key service does not answer: ${error.reason}.`);
      await wait(pauseAfter(attempt, { firstMs: error.retryAfterSeconds * 1000, mostMs: TIMEOUT_MS }));
    }
  }
}

/** Whoever has the keys may use them: there is nobody else to ask. */
function contextOf(namespace: string | undefined, deadline: number): DecodeContext {
  return {
    namespace,
    mayDecode: () => true,
    deadline,
    limits: { inflateBudget: INFLATED_BYTES },
    usage: { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 },
  };
}

async function orDecoderError<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const known = error instanceof CodecError || error instanceof ConfigFileError || error instanceof NotHereError;
    if (known) throw new DecoderError(error.message);
    throw error;
  }
}
