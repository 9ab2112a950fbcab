/**
 * Payloads whose data alone is compressed and whose encoding stays, as newer releases of temporal-proxy write them inside
 * the encryption: the metadata key `compression/algorithm` names what the data went through.
 *
 * zstd frames and snappy blocks are read. lz4 is recognized and stays closed: Node has no decoder of it.
 */
import { MalformedPayloadError } from '../errors.ts';
import type { PayloadFormat } from '../format.ts';
import { metadataText, type Payload, serializePayload } from '../payload.ts';
import { snappyFormat, zstdFormat } from './compression.ts';

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
        'its data is compressed with an algorithm that is not read (zstd and snappy are)',
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
