/**
 * The failure converter of an encrypting data converter: it moves the message and the stack trace of
 * a failure into `encodedAttributes`, a payload, so that the payload codec encrypts them. Without it
 * they are stored as plain text, whatever the codec does. Temporal's SDK and the workflow bundle load
 * this file by its path.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
