/** The codec protocol itself: paths, statuses, sizes, and what today's clients send. */
import { fromBase64 } from '../../codec/payload.ts';
import { answered, said } from './exchange.ts';
import { type Finding, failure, ok, skipped, unanswered, warning } from './report.ts';
import { type AnsweredPayload, base64, payloadsOf, plainBody, type Target } from './target.ts';

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
        `POST ${path} gets a ${answer.status}, POST ${target.basePath}/decode a ${expected.status}`,
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
    return ok('method', `GET gets a ${answer.status}`);
  return warning(
    'method',
    `GET /decode gets a ${answer.status}`,
    'no client sends it, so whoever does is probing',
    'answer 405 with Allow: POST',
  );
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
      `plain payloads get a ${answer.status}`,
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
    ...target.pageOrigin,
  });
  if (answered(large) && large.status === 403)
    return failure(
      'sizes',
      'a payload of 2 MiB is refused (403), and a small one is not',
      `a web ACL in front, such as the rule SizeRestrictions_BODY of AWS's core rule set; the answer says: ${said(large.body)}`,
      'let bodies of 4 MB pass to /decode and /encode',
    );
  if (!answered(large) || large.status !== 200)
    return failure(
      'sizes',
      `a payload of 2 MiB ${answered(large) ? `gets a ${large.status}` : `is cut off (${large.error})`}`,
      "the server's or a proxy's body limit is below Temporal's own for a payload",
      'raise the limit to at least 4 MB; frameworks often start at 100 kB',
    );
  const huge = await target.post('decode', plainBody(`"${'x'.repeat(24 * 1024 * 1024)}"`), {
    ...target.pageOrigin,
  });
  const status = answered(huge) ? huge.status : huge.error;
  if (status === 413 || status === 'EPIPE' || status === 'ECONNRESET')
    return ok('sizes', '2 MiB decoded, 32 MB refused');
  return warning(
    'sizes',
    `32 MB get a ${status}`,
    'there is no limit on the size of a request',
    'answer 413 before reading it all: every caller could fill the memory',
  );
}

/** Whether a key can be used; only our own server tells. */
export async function checkReadiness(target: Target): Promise<Finding> {
  const answer = await target.exchange({ method: 'GET', path: `${target.basePath}/readyz` });
  if (!answered(answer)) return unanswered('keys', answer);
  // Words of our own: a web site answers 200 to every path, and a proxy 503.
  if (answer.status === 200 && answer.body.startsWith('Ready')) return ok('keys', 'a key can be used');
  if (answer.status === 503 && answer.body.startsWith('No key can be used'))
    return failure(
      'keys',
      'the server is alive, but cannot use its keys (503)',
      'the key is disabled or pending deletion, the permission is missing, or the key service is out of reach',
      'see the cause in the server log; then the state and the policy of the KMS key',
    );
  return skipped('keys', `this server does not say whether a key can be used (GET /readyz: ${answer.status})`);
}

function formProblem(body: string, payloads: readonly AnsweredPayload[]): string | undefined {
  const extra = Object.keys(JSON.parse(body) as object).find((key) => key !== 'payloads');
  if (extra !== undefined) return `the answer has a field ${JSON.stringify(extra)} beside payloads`;
  if (payloads.length !== 2) return `${payloads.length} payloads for 2: payloads are dropped or added`;
  for (const payload of payloads) {
    if (payload === null || typeof payload !== 'object') return 'a payload of the answer is null';
    const unknown = Object.keys(payload).find((key) => !['metadata', 'data', 'externalPayloads'].includes(key));
    if (unknown !== undefined) return `a payload of the answer has a field ${JSON.stringify(unknown)}`;
    if (payload.metadata === undefined || payload.metadata === null) return 'a payload of the answer has no metadata';
    const texts = [...Object.values(payload.metadata), payload.data ?? ''];
    if (texts.some((text) => typeof text !== 'string' || fromBase64(text) === undefined))
      return 'the answer has values that are not standard, padded base64';
  }
  return undefined;
}
