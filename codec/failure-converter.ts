/**
 * The failure converter of an encrypting data converter. It moves the message and the stack trace of
 * every failure of a chain into `encodedAttributes`, a payload, so that the payload codec encrypts
 * them; without it they are stored as plain text, whatever the codec does. A failure that the codec
 * itself caused stays readable: it holds no secret, and to report it must not need a key.
 *
 * Temporal's SDK and the workflow bundle load this file by its path.
 */
import { DefaultFailureConverter, type PayloadConverter, type ProtoFailure } from '@temporalio/common';
import { CODEC_ERROR, CODEC_ERROR_TEXT } from './errors.ts';
import { CODEC_FAILURE_SOURCE, type FailurePart, markFailurePart, REPLAY_NAME } from './worker/failure-parts.ts';

/** In the sandbox of a workflow that is replayed, whose failures are stored nowhere. */
const REPLAY = Symbol.for(REPLAY_NAME);

/** What stands in place of a message that is encrypted, in every SDK. */
const ENCODED = 'Encoded failure';

type Context = Parameters<DefaultFailureConverter['errorToFailure']>[2];
type Payloads = { readonly payloads?: readonly object[] | null } | null | undefined;

class EncryptingFailureConverter extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: false });
  }

  override errorToFailure(error: unknown, payloadConverter: PayloadConverter, context?: Context): ProtoFailure {
    if (isCodecError(error)) return readableFailure(error);
    const failure = super.errorToFailure(error, payloadConverter, context);
    return REPLAY in globalThis ? failure : hidden(failure, payloadConverter, context);
  }
}

export const failureConverter = new EncryptingFailureConverter();

function isCodecError(error: unknown): error is Error & { readonly [CODEC_ERROR_TEXT]?: unknown } {
  return typeof error === 'object' && error !== null && CODEC_ERROR in error;
}

/** In the words of the codec alone, whatever the program made of them. */
function readableFailure({
  [CODEC_ERROR_TEXT]: text,
  name,
}: Error & { readonly [CODEC_ERROR_TEXT]?: unknown }): ProtoFailure {
  const message = typeof text === 'string' ? text : 'a failure of the codec';
  return { message, source: CODEC_FAILURE_SOURCE, stackTrace: '', applicationFailureInfo: { type: name } };
}

/**
 * The failure with nothing readable in it. The given one is not changed: it may be what the error of a
 * finished activity still refers to.
 */
function hidden(failure: ProtoFailure, payloadConverter: PayloadConverter, context: Context): ProtoFailure {
  if (failure.source === CODEC_FAILURE_SOURCE) return failure;
  const result = { ...failure };
  if (failure.cause) result.cause = hidden(failure.cause, payloadConverter, context);
  if (!failure.encodedAttributes || failure.message !== ENCODED) {
    const attributes = { message: failure.message, stack_trace: failure.stackTrace };
    result.encodedAttributes = payloadConverter.toPayload(attributes, context);
    result.message = ENCODED;
    result.stackTrace = '';
  }
  mark([result.encodedAttributes], 'attributes');
  for (const details of detailsOf(result)) mark(details?.payloads, 'details');
  return result;
}

function detailsOf(failure: ProtoFailure): Payloads[] {
  return [
    failure.applicationFailureInfo?.details,
    failure.canceledFailureInfo?.details,
    failure.timeoutFailureInfo?.lastHeartbeatDetails,
    failure.resetWorkflowFailureInfo?.lastHeartbeatDetails,
  ];
}

function mark(payloads: readonly (object | null | undefined)[] | null | undefined, part: FailurePart): void {
  for (const payload of payloads ?? []) if (payload) markFailurePart(payload, part);
}
