/**
 * Explanations in place of payloads. The Web UI shows no other text of a codec server's: a payload
 * in a 200 is the only way to tell the person who looks at it why there is no plaintext.
 */
import { metadataOf, type Payload } from '../../../codec/payload.ts';
import type { Caller } from '../auth/caller.ts';

/** Tells someone that they may not decode, and whom that concerns: person, namespace, and the rule to be added to. */
export function explainDenied(
  caller: Caller,
  namespace: string | undefined,
  rule: string | undefined,
  requestId: string,
): Payload {
  return jsonPlain(`${deniedSentence(caller, 'decode', namespace, rule)} (request ${requestId})`);
}

/** Tells someone that a payload stays closed. Why is in the log alone, under the request id. */
export function explainCannotOpen(requestId: string): Payload {
  return jsonPlain(`Codec server: this payload cannot be opened (request ${requestId})`);
}

/** Tells someone who may read it that a payload of external storage is more than an answer may hold. */
export function explainTooLarge(requestId: string): Payload {
  return jsonPlain(
    `Codec server: this payload is in external storage and too large to be shown here: download it from its bucket and decode it with the Temporal CLI or a worker (request ${requestId})`,
  );
}

/** One sentence on a right that is missing; also the text of a 403. */
export function deniedSentence(
  caller: Caller,
  operation: 'decode' | 'encode',
  namespace: string | undefined,
  rule: string | undefined,
): string {
  const person = caller.method === 'loopback' ? 'whoever is on this machine' : (caller.email ?? caller.subject);
  if (namespace === undefined)
    return `Codec server: this payload is bound to no namespace and the request names none, so ${person} may not ${operation} it`;
  const fix =
    rule === undefined
      ? 'no access rule covers that namespace'
      : `ask to be added to the access rule ${JSON.stringify(rule)}`;
  return `Codec server: ${person} may not ${operation} payloads of the namespace ${namespace}: ${fix}`;
}

function jsonPlain(sentence: string): Payload {
  return { metadata: metadataOf({ encoding: 'json/plain' }), data: Buffer.from(JSON.stringify(sentence)) };
}
