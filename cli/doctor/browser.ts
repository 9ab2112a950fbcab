/** What the Web UI's browser needs, and what another site's browser must not get. */

import { WEB_UI_HEADERS } from '../../config/preflight.ts';
import { answered, said } from './exchange.ts';
import { type Finding, failure, ok, unanswered, warning } from './report.ts';
import { FOREIGN_ORIGIN, plainBody, type Target } from './target.ts';

const CORS_FIX =
  "add the Web UI's exact origin to cors.origins of the configuration and deploy again (a local server: start it with --origin)";

/** The preflight of the Web UI. */
export async function checkPreflight(target: Target): Promise<Finding> {
  const { origin } = target.options;
  const answer = await target.preflight('decode', origin);
  if (!answered(answer)) return unanswered('cors-preflight', answer);
  if (answer.status === 403) return originRefused(origin, said(answer.body));
  if (answer.status < 200 || answer.status > 299)
    return failure(
      'cors-preflight',
      `the preflight (OPTIONS) of ${origin} gets a ${answer.status}`,
      'the server does not answer preflights, or wants a token for them, which browsers never send',
      CORS_FIX,
    );
  const allowed = answer.headers['access-control-allow-origin'];
  const asked = allowed === undefined ? await target.post('decode', plainBody(), { origin }) : undefined;
  // A gateway answers every preflight, and leaves the refusal to the server behind it.
  if (asked !== undefined && answered(asked) && asked.status === 403) return originRefused(origin, said(asked.body));
  if (allowed === undefined)
    return failure(
      'cors-preflight',
      'the answer to the preflight has no Access-Control-Allow-Origin',
      `${origin} is not an allowed origin, or the server knows no CORS`,
      CORS_FIX,
    );
  if (allowed !== origin && allowed !== '*')
    return failure(
      'cors-preflight',
      `the preflight allows ${allowed} instead of ${origin}`,
      'another origin is configured: scheme, host and port must match exactly, without a slash at the end',
      CORS_FIX,
    );
  const methods = list(answer.headers['access-control-allow-methods']);
  if (!methods.includes('post') && !methods.includes('*'))
    return failure(
      'cors-preflight',
      'the preflight does not allow POST',
      'Access-Control-Allow-Methods lacks it',
      'allow POST',
    );
  const headers = list(answer.headers['access-control-allow-headers']);
  const missing = WEB_UI_HEADERS.filter(
    (name) => !headers.includes(name) && (name === 'authorization' || !headers.includes('*')),
  );
  if (missing.length > 0)
    return failure(
      'cors-preflight',
      `the preflight does not allow the header ${missing.join(', ')}`,
      'the Web UI sends it (authorization and authorization-extras with "Pass access token"); * never covers authorization',
      `name ${WEB_UI_HEADERS.join(', ')} in Access-Control-Allow-Headers`,
    );
  target.sendsOrigin = true;
  return ok('cors-preflight', `${origin} may POST with all four headers`);
}

function originRefused(origin: string, sentence: string): Finding {
  return failure(
    'cors-preflight',
    `${origin} is not an allowed origin (403)`,
    `the server says: ${sentence}`,
    CORS_FIX,
  );
}

/** How long browsers may remember the preflight. */
export async function checkPreflightAge(target: Target): Promise<Finding> {
  const answer = await target.preflight('decode', target.options.origin);
  const age = answered(answer) ? Number(answer.headers['access-control-max-age']) : Number.NaN;
  if (age >= 600) return ok('preflight-age', `browsers remember the preflight for ${age} s`);
  return warning(
    'preflight-age',
    Number.isNaN(age)
      ? 'the preflight has no Access-Control-Max-Age'
      : `browsers remember the preflight for ${age} s only`,
    'browsers then repeat it every few seconds, one for each address: twice the requests a page',
    "send Access-Control-Max-Age: 7200, Chromium's maximum",
  );
}

/** What a site that nobody allowed gets. */
export async function checkForeignOrigin(target: Target): Promise<Finding> {
  const preflight = await target.preflight('decode', FOREIGN_ORIGIN);
  const answer = await target.post('decode', plainBody(), { origin: FOREIGN_ORIGIN });
  for (const result of [preflight, answer]) {
    if (!answered(result)) return unanswered('foreign-origin', result);
    const allowed = result.headers['access-control-allow-origin'];
    if (allowed === '*' || allowed === FOREIGN_ORIGIN)
      return failure(
        'foreign-origin',
        `any web site may read the answers (Access-Control-Allow-Origin: ${allowed === '*' ? '*' : 'whatever asks'})`,
        'the server allows every origin: a page somebody visits can read decoded payloads through their browser',
        'list exact origins instead of * or an echo of the request',
      );
  }
  if (answered(answer) && answer.status === 200)
    return warning(
      'foreign-origin',
      'a request from a foreign origin is carried out, and only hidden from it by the browser',
      'the server answers it 200 without CORS headers',
      'refuse requests whose Origin is not allowed',
    );
  return ok('foreign-origin', 'a foreign origin gets nothing');
}

/** CORS headers on errors: without them the browser shows `{}`, whatever the server said. */
export async function checkErrorHeaders(target: Target): Promise<Finding> {
  const { origin } = target.options;
  const broken = await target.post('decode', '{', { origin });
  const refused = await target.post('decode', plainBody(), { origin, authorization: 'Bearer none' });
  for (const result of [broken, refused]) {
    if (!answered(result)) return unanswered('cors-errors', result);
    const allowed = result.headers['access-control-allow-origin'];
    if (allowed !== origin && allowed !== '*')
      return failure(
        'cors-errors',
        `a ${result.status} to ${origin} has no CORS headers`,
        'the browser then hides status and text from the Web UI, which shows {}',
        'send the CORS headers on every answer, errors included',
      );
  }
  return ok('cors-errors', 'errors carry the CORS headers');
}

/** Whether decoded payloads may be kept by caches on the way. */
export async function checkNoStore(target: Target): Promise<Finding> {
  const answer = await target.post('decode', plainBody(), target.pageOrigin);
  if (!answered(answer)) return unanswered('no-store', answer);
  if (/\bno-store\b/i.test(answer.headers['cache-control'] ?? ''))
    return ok('no-store', 'answers are not to be stored');
  return warning(
    'no-store',
    'answers may be stored by browsers and proxies',
    'there is no Cache-Control: no-store',
    'send Cache-Control: no-store on every answer',
  );
}

function list(header: string | undefined): string[] {
  return (header ?? '').split(',').map((item) => item.trim().toLowerCase());
}
