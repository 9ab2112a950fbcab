/** Every format that is read, by encoding. `docs/formats.md` describes them for people. */
import { AWS_ENCRYPTION_SDK_ENCODING, awsEncryptionSdkFormat } from '../aws-encryption-sdk/format.ts';
import type { Recognizer } from '../decode.ts';
import { createRecognizer, type FormatsByEncoding } from '../recognize.ts';
import { BINARY_ENCRYPTED, BINARY_ENCRYPTED_FORMATS } from './binary-encrypted.ts';
import { COMPRESSION_ALGORITHM, compressedDataFormat } from './compressed-data.ts';
import {
  GZIP_ENCODING,
  gzipFormat,
  SNAPPY_ENCODING,
  snappyFormat,
  ZLIB_ENCODING,
  ZSTD_ENCODING,
  zlibFormat,
  zstdFormat,
} from './compression.ts';
import { KMS_JAVA_SAMPLE_ENCODING, kmsJavaSampleFormat } from './kms-java-sample.ts';

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

/** Recognizes our own format and no other: for encoding, which must not wrap what it has wrapped. */
export const recognizeOwn: Recognizer = createRecognizer({
  [AWS_ENCRYPTION_SDK_ENCODING]: [awsEncryptionSdkFormat],
});
