/**
 * Compression, as it nests inside encryption: the serialized inner payload, compressed.
 *
 * | encoding | data | written by |
 * |---|---|---|
 * | `binary/zlib` | RFC 1950 stream | the zlib codec of the Go and Java SDKs; us, where configured |
 * | `binary/zstd` | one zstd frame (RFC 8878) | us, where configured |
 * | `binary/gzip` | RFC 1952 | the Python samples |
 * | `binary/snappy` | snappy block | the Go samples |
 *
 * What inflates is counted while it inflates, against the budget of the request.
 */
import * as zlib from 'node:zlib';
import { CannotOpenError, MalformedPayloadError } from '../errors.ts';
import type { Envelope, OpenLimits, PayloadFormat } from '../format.ts';
import { encodingOf, metadataOf, metadataText, type Payload, serializePayload } from '../payload.ts';
import { inflateSnappy, snappyLength } from './snappy.ts';

/** Compression that we write; reading covers more. */
export type Compression = 'zstd' | 'zlib';

export const ZLIB_ENCODING = 'binary/zlib';
export const ZSTD_ENCODING = 'binary/zstd';
export const GZIP_ENCODING = 'binary/gzip';
export const SNAPPY_ENCODING = 'binary/snappy';

/** Bytes of data below which compression saves next to nothing and costs as much as encrypting. */
const SMALLEST_WORTH_COMPRESSING = 96;

/** How many bytes one byte can turn into at most: DEFLATE's 258 bytes in 2 bits, zstd's block of 128 KiB in 4 bytes. */
const DEFLATE_RATIO = 1032;
const ZSTD_RATIO = 32_768;
/** Window that every zstd decoder should support, as a power of two: 8 MiB (RFC 8878, 3.1.1.1.2). */
const ZSTD_WINDOW_LOG = 23;

/** Whether this Node.js has zstd: since 22.15. Asked when it is needed, since workers also run on older ones. */
export function hasZstd(): boolean {
  return typeof zlib.zstdCompressSync === 'function';
}

function zstd(): Pick<typeof zlib, 'zstdCompressSync' | 'zstdDecompressSync'> {
  if (hasZstd()) return zlib;
  throw new CannotOpenError('malformed', 'zstd needs Node.js 22.15 or newer');
}

/** What Node's synchronous functions return for `info: true`; its types do not say so. */
interface InflateInfo {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}
type Inflate = (data: Uint8Array, options: { maxOutputLength: number; info: true }) => InflateInfo;

function decompressor(name: string, ratio: number, inflate: Inflate): PayloadFormat {
  const open = (data: Uint8Array, limits: OpenLimits): Uint8Array => {
    // Node refuses a limit of 0: one byte too many is noticed below.
    const budget = Math.max(limits.inflateBudget, 1);
    let result: InflateInfo;
    try {
      result = inflate(data, { maxOutputLength: budget, info: true });
    } catch (error) {
      const failure =
        (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
          ? tooLarge(limits)
          : new MalformedPayloadError(`the data is not a valid ${name} stream`);
      chargeFailure(limits, data.length * ratio);
      throw failure;
    }
    charge(limits, result.buffer.length);
    if (result.engine.bytesWritten !== data.length)
      throw new MalformedPayloadError(`bytes are left over after the ${name} stream`);
    return result.buffer;
  };
  return { name, recognize: (payload) => envelope(name, (limits) => open(payload.data, limits)) };
}

function envelope(format: string, open: (limits: OpenLimits) => Uint8Array): Envelope {
  return {
    format,
    boundNamespace: undefined,
    keyRequest: undefined,
    open: (_dataKey, limits) => open(limits),
  };
}

export const zlibFormat = decompressor('zlib', DEFLATE_RATIO, zlib.inflateSync as unknown as Inflate);
export const gzipFormat = decompressor('gzip', DEFLATE_RATIO, zlib.gunzipSync as unknown as Inflate);
export const zstdFormat = decompressor('zstd', ZSTD_RATIO, (data, options) =>
  (zstd().zstdDecompressSync as unknown as Inflate)(data, {
    ...options,
    // The frame names the memory it wants before it has said anything: never more than may come out of it.
    params: {
      [zlib.constants.ZSTD_d_windowLogMax]: Math.min(
        Math.max(ZSTD_WINDOW_LOG, Math.ceil(Math.log2(options.maxOutputLength))),
        27,
      ),
    },
  } as Parameters<Inflate>[1]),
);
export const snappyFormat: PayloadFormat = {
  name: 'snappy',
  recognize: ({ data }) =>
    envelope('snappy', (limits) => {
      if (snappyLength(data) > limits.inflateBudget) throw tooLarge(limits);
      const inflated = inflateSnappy(data);
      charge(limits, inflated.length);
      return inflated;
    }),
};

function charge(limits: OpenLimits, bytes: number): void {
  if (bytes > limits.inflateBudget) throw tooLarge(limits);
  limits.inflateBudget -= bytes;
}

/**
 * What fails to inflate has cost work that nobody counted: the most it can have been, but never more
 * than half of what is left, so that a thousand bombs are as cheap as two and a good payload after
 * one still opens.
 */
function chargeFailure(limits: OpenLimits, most: number): void {
  limits.inflateBudget -= Math.min(Math.ceil(limits.inflateBudget / 2), most);
}

function tooLarge(limits: OpenLimits): CannotOpenError {
  return new CannotOpenError('too-large', `inflates past the ${limits.inflateBudget} bytes that are left`);
}

/**
 * Compresses a payload into one of encoding `binary/zstd` or `binary/zlib`.
 *
 * @returns the payload itself when that saves no bytes, or when it is compressed or encrypted already
 */
export function compressPayload(payload: Payload, compression: Compression): Payload {
  if (payload.data.length < SMALLEST_WORTH_COMPRESSING || isDense(payload)) return payload;
  const plain = serializePayload(payload);
  const data = compression === 'zstd' ? zstd().zstdCompressSync(plain) : zlib.deflateSync(plain);
  const compressed = {
    metadata: metadataOf({ encoding: compression === 'zstd' ? ZSTD_ENCODING : ZLIB_ENCODING }),
    data,
  };
  return data.length + ENVELOPE_OVERHEAD < plain.length ? compressed : payload;
}

/** Bytes of a serialized payload around its data, at most: 25 of metadata, and 1 + 5 before the data. */
const ENVELOPE_OVERHEAD = 31;

/** Encodings whose data is as dense as it gets. */
const DENSE = new Set([
  ZLIB_ENCODING,
  ZSTD_ENCODING,
  GZIP_ENCODING,
  SNAPPY_ENCODING,
  'binary/encrypted',
  'binary/aws-encryption-sdk',
  'awsencriptionsdk/binary/encrypted',
]);

function isDense(payload: Payload): boolean {
  const encoding = encodingOf(payload);
  return encoding !== undefined && DENSE.has(encoding);
}

// Payloads whose data alone is compressed and whose encoding stays, as newer releases of temporal-proxy write them inside
// the encryption: the metadata key `compression/algorithm` names what the data went through.
//
// zstd frames and snappy blocks are read. lz4 is recognized and stays closed: Node has no decoder of it.

/** The metadata key that names the algorithm. */
export const COMPRESSION_ALGORITHM = 'compression/algorithm';

const ALGORITHMS: Readonly<Record<string, PayloadFormat>> = { zstd: zstdFormat, snappy: snappyFormat };

export const compressedDataFormat: PayloadFormat = {
  name: 'compressed-data',
  recognize(payload, namespace) {
    const algorithm = metadataText(payload, COMPRESSION_ALGORITHM) ?? '';
    const format = Object.hasOwn(ALGORITHMS, algorithm) ? ALGORITHMS[algorithm] : undefined;
    const envelope = format?.recognize(payload, namespace);
    if (envelope === undefined)
      throw new MalformedPayloadError(
        `its data is compressed with ${/^[\w-]{1,20}$/.test(algorithm) ? algorithm : 'an algorithm'}, which is not read (zstd and snappy are)`,
      );
    return {
      ...envelope,
      format: 'compressed-data',
      open: (dataKey, limits) => serializePayload(withData(payload, envelope.open(dataKey, limits))),
    };
  },
};

/** The payload as it was before its data was compressed. */
function withData(payload: Payload, data: Uint8Array): Payload {
  const { [COMPRESSION_ALGORITHM]: _, ...metadata } = payload.metadata;
  return { ...payload, metadata, data };
}
