/**
 * Summaries that the server would refuse. Of a standalone Activity or Nexus operation it takes few bytes,
 * counted after encoding, which encryption alone nearly uses up; its own refusal says nothing of that.
 */
import type { PayloadCodec } from '@temporalio/common';
import { CannotEncodeError } from '../errors.ts';
import { ENCODING, serializePayload } from '../payload.ts';
import { fromTemporalPayload } from '../temporal-codec.ts';

/** Bytes of the payload message that a server takes: the default of its setting `limit.userMetadataSummarySize`. */
export const DEFAULT_SUMMARY_BYTES = 400;

const JSON_PLAIN = Buffer.from('json/plain');

/** What an interceptor of a client gets of a start, where it matters here. */
interface ActivityStart {
  readonly options: { readonly id: string; readonly summary?: string | undefined };
}

interface OperationStart {
  readonly id: string;
  readonly summary?: string | undefined;
}

type Interceptor<Input> = (input: Input, next: (input: Input) => Promise<unknown>) => Promise<unknown>;

/** The client interceptors of the SDK that take part; its other ones stay as they are. */
export interface ClientInterceptors {
  readonly activity?: readonly object[] | undefined;
  readonly nexus?: readonly object[] | undefined;
}

/**
 * Client interceptors that refuse a summary of a standalone Activity or Nexus operation which is too long
 * once it is encoded, with CannotEncodeError naming the activity or operation and both lengths. They come
 * after the given ones, which may change the summary.
 *
 * @param codec what the client encodes with
 * @param limit bytes of the encoded payload
 */
export function withSummaryCheck<T extends ClientInterceptors>(
  interceptors: T | undefined,
  codec: PayloadCodec,
  limit: number,
): T & Required<ClientInterceptors> {
  const check = async (what: string, summary: string | undefined): Promise<void> => {
    if (summary == null) return;
    const length = await encodedLength(codec, summary);
    if (length <= limit) return;
    throw new CannotEncodeError(
      `the summary of the ${what} takes ${length} bytes encrypted, and the server takes ${limit}: shorten it, or leave it out`,
    );
  };
  const start: Interceptor<ActivityStart> = async (input, next) => {
    await check(`activity ${input.options.id}`, input.options.summary);
    return await next(input);
  };
  const startOperation: Interceptor<OperationStart> = async (input, next) => {
    await check(`Nexus operation ${input.id}`, input.summary);
    return await next(input);
  };
  return {
    ...(interceptors as T),
    activity: [...(interceptors?.activity ?? []), { start }],
    nexus: [...(interceptors?.nexus ?? []), { startOperation }],
  };
}

/** Bytes of the payload message of a text, as the SDK's own payload converter makes it, encoded. */
async function encodedLength(codec: PayloadCodec, text: string): Promise<number> {
  const payload = { metadata: { [ENCODING]: JSON_PLAIN }, data: Buffer.from(JSON.stringify(text)) };
  const encoded = await codec.encode([payload]);
  return encoded.reduce((length, it) => length + serializePayload(fromTemporalPayload(it)).length, 0);
}
