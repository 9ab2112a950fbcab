/** The round trip: what the server encodes it has to decode again, byte for byte. */
import { answered, said } from './exchange.ts';
import { type Finding, failure, ok, unanswered } from './report.ts';
import { type AnsweredPayload, base64, payloadsOf, type Target } from './target.ts';

/** Encode, decode, compare: bytes, order, count, fields. */
export async function checkRoundTrip(target: Target): Promise<Finding> {
  const { namespace } = target.options;
  const originals: AnsweredPayload[] = [
    {
      metadata: { encoding: base64('json/plain') },
      data: base64(JSON.stringify({ name: 'Zoë', n: 9007199254740993n.toString() })),
    },
    {
      metadata: { encoding: base64('binary/plain'), note: base64('ünï') },
      data: Buffer.from([0, 255, 128, 10]).toString('base64'),
    },
    { metadata: { encoding: base64('binary/null') }, data: '' },
    {
      metadata: { encoding: base64('json/plain') },
      data: base64('"big"'),
      externalPayloads: [{ sizeBytes: '12345678901' }],
    },
  ];
  const encoded = await target.post('encode', JSON.stringify({ payloads: originals }), target.pageOrigin);
  if (!answered(encoded)) return unanswered('round-trip', encoded);
  if (encoded.status === 403)
    return failure(
      'round-trip',
      `/encode refuses namespace ${namespace} (403)`,
      `the server says: ${said(encoded.body)}`,
      `give the full name with --namespace (such as orders-prod.a1b2c), or add an access rule that allows encode`,
    );
  if (encoded.status !== 200)
    return failure(
      'round-trip',
      `/encode gets a ${encoded.status}`,
      `the server says: ${said(encoded.body)}`,
      'see the server log under the request id of the answer',
    );
  const encodedPayloads = payloadsOf(encoded);
  if (encodedPayloads === undefined)
    return failure(
      'round-trip',
      '/encode does not answer a list of payloads',
      'the answer is not {"payloads":[…]}',
      'answer as the codec protocol prescribes',
    );
  if (encodedPayloads.length !== originals.length)
    return wrongCount('/encode', originals.length, encodedPayloads.length);
  if (encodedPayloads.some((payload, i) => payload.data === originals[i]?.data && payload.data !== ''))
    return failure(
      'round-trip',
      '/encode gives a payload back unencrypted',
      'the server passes through what it does not encode',
      'make /encode fail instead: callers store what it returns',
    );
  const decoded = await target.post('decode', JSON.stringify({ payloads: encodedPayloads }), target.pageOrigin);
  if (!answered(decoded)) return unanswered('round-trip', decoded);
  const decodedPayloads = payloadsOf(decoded);
  if (decoded.status !== 200 || decodedPayloads === undefined)
    return failure(
      'round-trip',
      `/decode gets a ${decoded.status}`,
      `the server says: ${said(decoded.body)}`,
      'see the server log under the request id of the answer',
    );
  if (decodedPayloads.length !== originals.length)
    return wrongCount('/decode', originals.length, decodedPayloads.length);
  const different = originals.findIndex((original, i) => !samePayload(original, decodedPayloads[i]));
  if (different >= 0)
    return failure(
      'round-trip',
      `payload ${different + 1} of ${originals.length} comes back different from what was encoded`,
      ...causeOfDifference(originals[different], decodedPayloads[different]),
    );
  target.sealedBody = JSON.stringify({ payloads: encodedPayloads.slice(0, 1) });
  return ok('round-trip', `encode and decode in ${namespace}: every byte back`);
}

/** Cause and fix of a payload that came back different. */
function causeOfDifference(
  original: AnsweredPayload | undefined,
  decoded: AnsweredPayload | undefined,
): [cause: string, fix: string] {
  if (decoded !== undefined && 'external_payloads' in decoded)
    return [
      'it comes back as external_payloads, in snake_case, which the Web UI and Java do not know',
      'write externalPayloads with sizeBytes as a text, as proto3 JSON prescribes',
    ];
  if (original?.externalPayloads !== undefined)
    return ['externalPayloads is lost: only metadata and data are encrypted', 'encrypt the whole serialized Payload'];
  return [
    'it was not decoded, or metadata, bytes or order changed',
    'check that this caller may decode the namespace, that the key is available, and that order is kept',
  ];
}

function wrongCount(operation: string, sent: number, received: number): Finding {
  return failure(
    'round-trip',
    `${operation} answers ${received} payloads for ${sent}`,
    'payloads are dropped or added',
    'answer one payload for each, in the same order',
  );
}

function samePayload(expected: AnsweredPayload, actual: AnsweredPayload | undefined): boolean {
  const keys = Object.keys(expected.metadata ?? {});
  return (
    keys.every((key) => expected.metadata?.[key] === actual?.metadata?.[key]) &&
    keys.length === Object.keys(actual?.metadata ?? {}).length &&
    (expected.data ?? '') === (actual?.data ?? '') &&
    (expected.externalPayloads?.[0]?.sizeBytes ?? '') === String(actual?.externalPayloads?.[0]?.sizeBytes ?? '')
  );
}
