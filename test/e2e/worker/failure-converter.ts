/** Puts a failure's message and stack trace into `encodedAttributes`, which the payload codec encrypts. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
