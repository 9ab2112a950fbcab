/** Codecs of a team's own, as `codecsEntry` names them: one that reads what the team once wrote backward. */
import type { PayloadCodec } from '@temporalio/common';
import type { CustomCodecConfig } from '../../../config/schema.ts';

/** The encoding of what {@link BACKWARD} reads. */
export const BACKWARD_ENCODING = 'binary/backward';

const BACKWARD: PayloadCodec = {
  encode: async (payloads) => payloads,
  decode: async (payloads) =>
    payloads.map((payload) =>
      Buffer.from(payload.metadata?.['encoding'] ?? []).toString() === BACKWARD_ENCODING
        ? { metadata: { encoding: Buffer.from('binary/plain') }, data: Uint8Array.from(payload.data ?? []).reverse() }
        : payload,
    ),
};

export default [{ codec: BACKWARD }] satisfies readonly CustomCodecConfig[];
