/**
 * What a release writes into histories, in a form that two releases can be compared by: every byte of a payload but
 * those that are random or follow from them. Read by position here, not by our reader, which might change along.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { decryptMessage, parseMessage } from '../../codec/aws-encryption-sdk/reader.ts';
import { createPayloadCodec, type EncryptingPayloadCodec, type PayloadCodecOptions } from '../../codec/index.ts';
import { formatKeyring } from '../../codec/keys/keyring/keyring.ts';
import { parseKeyArn } from '../../codec/keys/kms/key-arn.ts';
import { type CodecKeys, createKmsDataKeys } from '../../codec/keys/worker-keys.ts';
import { deserializePayload } from '../../codec/payload.ts';
import { fromTemporalPayload, toTemporalPayload } from '../../codec/temporal-codec.ts';
import { ourDecrypt } from '../support/aws-encryption-sdk.ts';
import { MemoryKms } from '../support/memory-kms.ts';
import { fromJson, type JsonPayload, toJson } from '../support/payloads.ts';

/** The file of a release that holds its payloads, beside those of its environments. */
export const WRITTEN = 'written.json';

/** A payload that a release wrote. */
export interface WrittenPayload {
  readonly payload: JsonPayload;
  readonly form: WrittenForm;
}

/** The fields of a written payload that are the same whenever it is written; bytes are hexadecimal. */
export interface WrittenForm {
  readonly metadata: Readonly<Record<string, string>>;
  readonly versionAndSuite: string;
  readonly encryptionContext: string;
  readonly encryptedDataKeys: readonly {
    readonly provider: string;
    readonly information: string;
    readonly bytes: number;
  }[];
  readonly contentTypeAndFrameLength: string;
  /** End mark, sequence number and IV of the one frame. */
  readonly frame: string;
  /** The serialized payload; where it was compressed, what inflates, since another machine may compress otherwise. */
  readonly plaintext: string;
  /** Bytes of the message beside the plaintext. */
  readonly bytesBeside: number;
}

const NAMESPACE = 'orders-prod.a1b2c';
/** Wraps data keys: of a keyring under this name, or in the place of KMS. */
export const WRAPPING_KEY = { namespace: 'codec-server', name: 'frozen', key: Buffer.alloc(32, 7) };
const KMS_KEY_ID = '1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9';

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64');
const payloadOf = (metadata: Record<string, string>, data: string): JsonPayload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, base64(value)])),
  data: base64(data),
});
const JSON_PAYLOAD = payloadOf({ encoding: 'json/plain', messageType: 'shop.Order' }, '{"id":7}');

interface Case {
  readonly given: JsonPayload;
  readonly options?: Partial<PayloadCodecOptions>;
  readonly under?: 'kms';
}

/** What is written, by name. Names are those of the frozen files: they stay. */
const CASES: Readonly<Record<string, Case>> = {
  'under a keyring': { given: JSON_PAYLOAD },
  'of no data': { given: payloadOf({ encoding: 'binary/null' }, '') },
  'longer than a frame of the official libraries': { given: payloadOf({ encoding: 'binary/plain' }, 'x'.repeat(5000)) },
  'compressed with zlib': {
    given: payloadOf({ encoding: 'json/plain' }, JSON.stringify('x'.repeat(256))),
    options: { compression: 'zlib' },
  },
  'under a key of KMS': { given: JSON_PAYLOAD, under: 'kms' },
};

export const WRITTEN_CASES: readonly string[] = Object.keys(CASES);

/**
 * Writes the payload of a case.
 *
 * @param folder for the keyring's file
 */
export async function writeCase(name: string, folder: string): Promise<JsonPayload> {
  const [written = {}] = await withCodec(name, folder, (codec, { given }) =>
    codec.encode([toTemporalPayload(fromJson(given))]),
  );
  return toJson(fromTemporalPayload(written));
}

/** Whether what a release wrote of a case is what is read from it now. */
export async function readsCase(name: string, folder: string, payload: JsonPayload): Promise<boolean> {
  return withCodec(name, folder, async (codec, { given }) => {
    const [read = {}] = await codec.decode([toTemporalPayload(fromJson(payload))]);
    return JSON.stringify(toJson(fromTemporalPayload(read))) === JSON.stringify(given);
  });
}

async function withCodec<T>(
  name: string,
  folder: string,
  use: (codec: EncryptingPayloadCodec, it: Case) => Promise<T>,
): Promise<T> {
  const it = CASES[name];
  if (it === undefined) throw new Error(`no case is called ${name}`);
  const codec = createPayloadCodec({
    ...it.options,
    namespace: NAMESPACE,
    keys: it.under === 'kms' ? kmsKeys() : keyringKeys(folder),
  });
  try {
    return await use(codec, it);
  } finally {
    codec.close();
  }
}

function keyringKeys(folder: string): CodecKeys {
  const { namespace, name, key } = WRAPPING_KEY;
  const keyring = join(folder, 'keyring.json');
  writeFileSync(keyring, formatKeyring({ namespace, current: name, keys: [{ name, key }] }), { mode: 0o600 });
  return { keyring };
}

function kmsKeys(): CodecKeys {
  const kms = new MemoryKms();
  const write = kms.createKey(KMS_KEY_ID, WRAPPING_KEY.key);
  return { source: createKmsDataKeys({ pairings: [{ namespaces: [NAMESPACE], write }], kms }) };
}

/** The form of a written payload. @throws RangeError where it is not a message at all */
export async function formOf({ metadata, data = '' }: JsonPayload): Promise<WrittenForm> {
  const message = Buffer.from(data, 'base64');
  let at = 0;
  const hex = (length: number): string => {
    at += length;
    return message.subarray(at - length, at).toString('hex');
  };
  const sized = (): Buffer => {
    const length = message.readUInt16BE(at);
    at += 2 + length;
    return message.subarray(at - length, at);
  };
  const versionAndSuite = hex(3);
  at += 32; // message id
  const encryptionContext = sized().toString('hex');
  const keys = message.readUInt16BE(at);
  at += 2;
  const encryptedDataKeys = Array.from({ length: keys }, () => {
    const [provider, information, ciphertext] = [sized().toString(), sized(), sized()];
    // A key of a keyring adds to its name the lengths of tag and IV, and an IV, which is random.
    const lasting = provider === 'aws-kms' ? information : information.subarray(0, -12);
    return { provider, information: lasting.toString('hex'), bytes: ciphertext.length };
  });
  const contentTypeAndFrameLength = hex(5);
  at += 32 + 16; // key commitment and the tag of the header
  const frame = hex(4 + 4 + 12);
  const plaintext = await plaintextOf(message);
  return {
    metadata,
    versionAndSuite,
    encryptionContext,
    encryptedDataKeys,
    contentTypeAndFrameLength,
    frame,
    plaintext: lastingPlaintext(plaintext),
    bytesBeside: message.length - plaintext.length,
  };
}

async function plaintextOf(message: Buffer): Promise<Buffer> {
  const parsed = parseMessage(message);
  const [wrapped] = parsed.header.encryptedDataKeys;
  if (wrapped?.providerId !== 'aws-kms') return ourDecrypt(message, WRAPPING_KEY);
  const kms = new MemoryKms();
  const key = parseKeyArn(kms.createKey(KMS_KEY_ID, WRAPPING_KEY.key));
  if (key === undefined) throw new Error('KMS made a key without an ARN');
  return decryptMessage(
    parsed,
    await kms.decrypt({ ...key, assumeRole: undefined }, wrapped.ciphertext, parsed.header.encryptionContext),
  );
}

function lastingPlaintext(plaintext: Buffer): string {
  const { metadata, data } = deserializePayload(plaintext);
  const encoding = Buffer.from(metadata['encoding'] ?? []).toString();
  return encoding === 'binary/zlib' ? `zlib ${inflateSync(data).toString('hex')}` : plaintext.toString('hex');
}
