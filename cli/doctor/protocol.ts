/** The codec protocol itself: paths, statuses, the round trip, sizes, and what today's clients send. */
import { unanswered } from './browser.ts';
import { type Answer, answered } from './exchange.ts';
import { type Finding, failure, ok, skipped, warning } from './finding.ts';
import { said } from './identity.ts';
import { base64, plainBody, type Target } from './target.ts';

interface JsonPayload {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly externalPayloads?: readonly { readonly sizeBytes?: string }[];
}

/** Prefixes and slashes that clients put before the operation. */
export async function checkPaths(target: Target): Promise<Finding> {
  const expected = await target.post('decode', plainBody());
  if (!answered(expected)) return unanswered('paths', expected);
  for (const [path, who] of [
    [`${target.basePath}//decode`, 'an endpoint pasted with a slash at the end'],
    [`${target.basePath}/some.namespace/decode`, 'an endpoint with {namespace} in the CLI'],
    [`${target.basePath}/%7Bnamespace%7D/decode`, 'an endpoint with {namespace} in the Web UI'],
  ] as const) {
    const answer = await target.post('decode', plainBody(), { path });
    if (!answered(answer)) return unanswered('paths', answer);
    if (answer.status !== expected.status)
      return failure(
        'paths',
        `POST ${path} is answered ${answer.status}, POST ${target.basePath}/decode ${expected.status}`,
        `the server matches the whole path; ${who} sends this one`,
        'decide by the last segment of the path alone',
      );
  }
  return ok('paths', 'prefixes and doubled slashes reach the operation');
}

/** That nothing but POST does anything. */
export async function checkMethod(target: Target): Promise<Finding> {
  const answer = await target.exchange({ method: 'GET', path: `${target.basePath}/decode` });
  if (!answered(answer)) return unanswered('method', answer);
  if (answer.status === 405 || answer.status === 404 || answer.status === 401)
    return ok('method', `GET is answered ${answer.status}`);
  return warning(
    'method',
    `GET /decode is answered ${answer.status}`,
    'no client sends it, so whoever does is probing',
    'answer 405 with Allow: POST',
  );
}

/** Encode, decode, compare: bytes, order, count, fields. */
export async function checkRoundTrip(target: Target): Promise<Finding> {
  const { namespace, origin } = target.options;
  const originals: JsonPayload[] = [
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
  const encoded = await target.post('encode', JSON.stringify({ payloads: originals }), { origin });
  if (!answered(encoded)) return unanswered('round-trip', encoded);
  if (encoded.status === 403)
    return failure(
      'round-trip',
      `/encode refuses namespace ${namespace} (403)`,
      'this caller has no encode right in it, or the namespace is misspelt',
      `give the full name with --namespace (such as orders-prod.a1b2c), or add an access rule that allows encode`,
    );
  if (encoded.status !== 200)
    return failure(
      'round-trip',
      `/encode is answered ${encoded.status}`,
      `the server says: ${said(encoded.body)}`,
      'see the server log under the request id of the answer',
    );
  const encodedPayloads = payloadsOf(encoded);
  if (encodedPayloads === undefined)
    return failure(
      'round-trip',
      '/encode answers no list of payloads',
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
  const decoded = await target.post('decode', JSON.stringify({ payloads: encodedPayloads }), { origin });
  if (!answered(decoded)) return unanswered('round-trip', decoded);
  const decodedPayloads = payloadsOf(decoded);
  if (decoded.status !== 200 || decodedPayloads === undefined)
    return failure(
      'round-trip',
      `/decode is answered ${decoded.status}`,
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

/** The answer's form, in which the clients are stricter than the documentation. */
export async function checkAnswerForm(target: Target): Promise<Finding> {
  const body = JSON.stringify({
    payloads: [
      { metadata: { encoding: base64('json/plain') }, data: base64('"a"') },
      { metadata: { encoding: base64('binary/null') } },
    ],
  });
  const answer = await target.post('decode', body);
  if (!answered(answer)) return unanswered('answer-form', answer);
  const payloads = payloadsOf(answer);
  if (answer.status !== 200 || payloads === undefined)
    return failure(
      'answer-form',
      `plain payloads are answered ${answer.status}`,
      'the clients send payloads that are not encoded, too',
      'give them back unchanged with 200',
    );
  const problem = formProblem(answer.body, payloads);
  if (problem === undefined) return ok('answer-form', 'exactly the fields that the clients accept');
  return failure(
    'answer-form',
    problem,
    'the CLI and the Java client refuse unknown fields, the Web UI anything but padded standard base64',
    'answer {"payloads":[{"metadata":{…},"data":"…"}]} and nothing else',
  );
}

/** What proto3 JSON allows and clients send. */
export async function checkTolerance(target: Target): Promise<Finding> {
  const encoding = base64('json/plain');
  const cases: readonly (readonly [string, unknown])[] = [
    ['{} for an empty list (Go)', {}],
    ['a null payload (Go)', { payloads: [null] }],
    ['a payload without fields', { payloads: [{}] }],
    [
      'unpadded base64 (the set-up page)',
      { payloads: [{ metadata: { encoding: encoding.replace(/=+$/, '') }, data: 'IjEi' }] },
    ],
    [
      'external_payloads in snake_case (Go, CLI)',
      { payloads: [{ metadata: { encoding }, data: 'IjEi', external_payloads: [{ size_bytes: '5' }] }] },
    ],
    ['an unknown field', { payloads: [{ metadata: { encoding }, data: 'IjEi', somethingNew: 1 }] }],
  ];
  const refused: string[] = [];
  for (const [what, body] of cases) {
    const answer = await target.post('decode', JSON.stringify(body));
    if (!answered(answer)) return unanswered('tolerance', answer);
    if (answer.status !== 200) refused.push(`${what}: ${answer.status}`);
  }
  if (refused.length === 0) return ok('tolerance', 'takes what every client sends');
  return warning(
    'tolerance',
    `refuses what clients send: ${refused.join('; ')}`,
    'the JSON is read more strictly than proto3 JSON prescribes',
    'accept it',
  );
}

/** A payload of Temporal's own size limit, and one that is far too large. */
export async function checkSizes(target: Target): Promise<Finding> {
  const large = await target.post('decode', plainBody(`"${'x'.repeat(2 * 1024 * 1024)}"`), {
    origin: target.options.origin,
  });
  if (!answered(large) || large.status !== 200)
    return failure(
      'sizes',
      `a payload of 2 MiB is ${answered(large) ? `answered ${large.status}` : `cut off (${large.error})`}`,
      "the server's or a proxy's body limit is below Temporal's own for a payload",
      'raise the limit to at least 4 MB; frameworks often start at 100 kB',
    );
  const huge = await target.post('decode', plainBody(`"${'x'.repeat(24 * 1024 * 1024)}"`), {
    origin: target.options.origin,
  });
  const status = answered(huge) ? huge.status : huge.error;
  if (status === 413 || status === 'EPIPE' || status === 'ECONNRESET')
    return ok('sizes', '2 MiB decoded, 32 MB refused');
  return warning(
    'sizes',
    `32 MB are answered ${status}`,
    'there is no limit on the size of a request',
    'answer 413 before reading it all: every caller could fill the memory',
  );
}

/** Whether a key can be used; only our own server tells. */
export async function checkReadiness(target: Target): Promise<Finding> {
  const answer = await target.exchange({ method: 'GET', path: `${target.basePath}/readyz` });
  if (!answered(answer)) return unanswered('keys', answer);
  if (answer.status === 200) return ok('keys', 'a key can be used');
  if (answer.status === 503)
    return failure(
      'keys',
      'the server is alive, but cannot use its keys (503)',
      'the key is disabled or pending deletion, the permission is missing, or the key service is out of reach',
      'see the cause in the server log; then the state and the policy of the KMS key',
    );
  return skipped('keys', `no readiness check here (GET /readyz: ${answer.status})`);
}

/** Cause and fix of a payload that came back different. */
function causeOfDifference(
  original: JsonPayload | undefined,
  decoded: JsonPayload | undefined,
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

function payloadsOf(answer: Answer): JsonPayload[] | undefined {
  try {
    const { payloads } = JSON.parse(answer.body) as { payloads?: unknown };
    return Array.isArray(payloads) ? (payloads as JsonPayload[]) : undefined;
  } catch {
    return undefined;
  }
}

function samePayload(expected: JsonPayload, actual: JsonPayload | undefined): boolean {
  const keys = Object.keys(expected.metadata ?? {});
  return (
    keys.every((key) => expected.metadata?.[key] === actual?.metadata?.[key]) &&
    keys.length === Object.keys(actual?.metadata ?? {}).length &&
    (expected.data ?? '') === (actual?.data ?? '') &&
    (expected.externalPayloads?.[0]?.sizeBytes ?? '') === String(actual?.externalPayloads?.[0]?.sizeBytes ?? '')
  );
}

const PADDED_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function formProblem(body: string, payloads: readonly JsonPayload[]): string | undefined {
  const extra = Object.keys(JSON.parse(body) as object).find((key) => key !== 'payloads');
  if (extra !== undefined) return `the answer has a field ${JSON.stringify(extra)} beside payloads`;
  if (payloads.length !== 2) return `${payloads.length} payloads for 2`;
  for (const payload of payloads) {
    if (payload === null || typeof payload !== 'object') return 'a payload of the answer is null';
    const unknown = Object.keys(payload).find((key) => !['metadata', 'data', 'externalPayloads'].includes(key));
    if (unknown !== undefined) return `a payload of the answer has a field ${JSON.stringify(unknown)}`;
    if (payload.metadata === undefined || payload.metadata === null) return 'a payload of the answer has no metadata';
    const texts = [...Object.values(payload.metadata), payload.data ?? ''];
    if (texts.some((text) => typeof text !== 'string' || !PADDED_BASE64.test(text)))
      return 'the answer has values that are not standard, padded base64';
  }
  return undefined;
}
