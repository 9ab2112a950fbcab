/** Every format that is read, by encoding. `docs/formats.md` describes them for people. */

import { AWS_ENCRYPTION_SDK_ENCODING, awsEncryptionSdkFormat } from '../aws-encryption-sdk/reader.ts';
import type { Recognizer } from '../decode.ts';
import type { PayloadFormat } from '../format.ts';
import { ENCODING, standsAt } from '../payload.ts';
import {
  COMPRESSION_ALGORITHM,
  compressedDataFormat,
  GZIP_ENCODING,
  gzipFormat,
  SNAPPY_ENCODING,
  snappyFormat,
  ZLIB_ENCODING,
  ZSTD_ENCODING,
  zlibFormat,
  zstdFormat,
} from './compression.ts';
import {
  javaSampleFormat,
  KMS_JAVA_SAMPLE_ENCODING,
  kmsJavaSampleFormat,
  kmsPythonSampleFormat,
  sampleFormat,
} from './samples.ts';
import { stdgoFormat, tinkFormat } from './stdgo.ts';
import { temporalCloudProxyFormat } from './temporal-cloud-proxy.ts';
import { temporalProxyFormat } from './temporal-proxy.ts';

// From a payload to the format it is in, by its `encoding`. Asked for every payload of every
// request, most of which are plain: encodings are compared as bytes, and only with those of the same
// length.

/** Formats by encoding. Several formats of one encoding are asked in their order; the first that knows the payload opens it. */
export type FormatsByEncoding = Readonly<Record<string, readonly PayloadFormat[]>>;

/** Formats by a metadata key that marks them, whatever the encoding. */
export type FormatsByMark = Readonly<Record<string, PayloadFormat>>;

interface Entry {
  readonly encoding: Buffer;
  readonly formats: readonly PayloadFormat[];
}

/** Builds a recognizer; what it is built from is read once. */
export function createRecognizer(formats: FormatsByEncoding, marked: FormatsByMark = {}): Recognizer {
  const marks = Object.entries(marked);
  const byLength: (Entry[] | undefined)[] = [];
  for (const [name, list] of Object.entries(formats)) {
    const encoding = Buffer.from(name, 'utf8');
    const entries = byLength[encoding.length] ?? [];
    entries.push({ encoding, formats: list });
    byLength[encoding.length] = entries;
  }
  return (payload, namespace) => {
    const encoding = payload.metadata[ENCODING];
    if (encoding === undefined) return undefined;
    for (const [mark, format] of marks)
      if (payload.metadata[mark] !== undefined) return format.recognize(payload, namespace);
    const entries = byLength[encoding.length];
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      if (!standsAt(encoding, 0, entry.encoding)) continue;
      for (const format of entry.formats) {
        const envelope = format.recognize(payload, namespace);
        if (envelope !== undefined) return envelope;
      }
      return undefined;
    }
    return undefined;
  };
}

// `binary/encrypted`, an encoding that at least seven producers use for seven different formats. Each
// format has a mark in the metadata by which it alone is read, and they are asked in this order, the
// last one taking what has no mark: a payload of one never takes another's path.

const BINARY_ENCRYPTED = 'binary/encrypted';

const BINARY_ENCRYPTED_FORMATS: readonly PayloadFormat[] = [
  temporalProxyFormat,
  temporalCloudProxyFormat,
  kmsPythonSampleFormat,
  stdgoFormat,
  tinkFormat,
  javaSampleFormat,
  sampleFormat,
];

export const ALL_FORMATS: FormatsByEncoding = {
  [AWS_ENCRYPTION_SDK_ENCODING]: [awsEncryptionSdkFormat],
  [BINARY_ENCRYPTED]: BINARY_ENCRYPTED_FORMATS,
  [KMS_JAVA_SAMPLE_ENCODING]: [kmsJavaSampleFormat],
  [ZLIB_ENCODING]: [zlibFormat],
  [ZSTD_ENCODING]: [zstdFormat],
  [GZIP_ENCODING]: [gzipFormat],
  [SNAPPY_ENCODING]: [snappyFormat],
};

/** Recognizes every format that is read: for decoding. */
export const recognizeAll: Recognizer = createRecognizer(ALL_FORMATS, {
  [COMPRESSION_ALGORITHM]: compressedDataFormat,
});

/** Recognizes our own format and no other. */
export const recognizeOwn: Recognizer = createRecognizer({
  [AWS_ENCRYPTION_SDK_ENCODING]: [awsEncryptionSdkFormat],
});
