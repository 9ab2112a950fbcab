/** Whether what answers is a codec server at all: nothing else is worth saying before. */
import { type Answer, answered, said } from './exchange.ts';
import { type Finding, failure, ok } from './report.ts';
import { payloadsOf, plainBody, type Target } from './target.ts';

const ANOTHER_ADDRESS =
  'use the address of the codec server itself, not of the Web UI; on AWS it is the stack output CodecEndpoint';

/** Asks for a payload that needs no key: a codec server gives it back, or asks who wants it. */
export async function checkCodecServer(target: Target): Promise<Finding> {
  const given = await target.post('decode', plainBody());
  if (!answered(given)) return failure('reachable', `no answer (${given.error})`, given.message, 'try again');
  if (given.status >= 300 && given.status < 400)
    return failure(
      'redirect',
      `POST /decode is redirected to ${given.headers['location'] ?? 'nowhere'}`,
      'a browser refuses a redirect of a preflighted request, and the CLI would repeat the POST as a GET',
      'use the address it redirects to as the endpoint',
    );
  if (isOfCodecServer(given)) return ok('codec-server', 'gives a payload back that needs no key, or asks for a token');
  // A token that cannot be judged now is told of later; without one the server may still show what it is.
  const anonymous =
    target.options.token === undefined ? given : await target.post('decode', plainBody(), { authorization: null });
  if (answered(anonymous) && isOfCodecServer(anonymous)) return ok('codec-server', 'asks for a token');
  return notACodecServer(given, await titleOf(target));
}

/** The protocol's own answer, or the one refusal that clients expect. */
function isOfCodecServer(answer: Answer): boolean {
  if (answer.status === 200) return payloadsOf(answer) !== undefined;
  return answer.status === 401 && !isPage(answer);
}

function notACodecServer(answer: Answer, title: string | undefined): Finding {
  const { status, headers } = answer;
  if (isPage(answer) || title !== undefined)
    return failure(
      'codec-server',
      `this is a web site, not a codec server${title === undefined ? '' : `: its page is ${JSON.stringify(title)}`}`,
      `POST /decode gets a ${status} (${headers['content-type'] ?? 'no content type'}): the Web UI, a proxy or a sign-in page answers here`,
      ANOTHER_ADDRESS,
    );
  if (status === 404)
    return failure(
      'codec-server',
      'POST /decode gets a 404',
      'the operation is not served under this path',
      'remove or correct the path of the endpoint; clients append /decode to it',
    );
  if (status === 403)
    return failure(
      'codec-server',
      'POST /decode is refused before anybody asks for a token (403)',
      `the answer says: ${said(answer.body)}`,
      'what stands in front refuses this machine, such as a resource policy, a web ACL or a proxy: let it in, or ask from a place that may',
    );
  if (status === 429 || status >= 500)
    return failure(
      'codec-server',
      `POST /decode gets a ${status}`,
      `the answer says: ${said(answer.body)}`,
      'read the log of the server, or of the gateway in front of it, for this time',
    );
  if (status === 200)
    return failure(
      'codec-server',
      'this is not a codec server: POST /decode gets a 200 without a list of payloads',
      'a codec server answers {"payloads":[…]}; something else listens here',
      ANOTHER_ADDRESS,
    );
  return failure(
    'codec-server',
    `this is not a codec server: a payload that needs no key gets a ${status}`,
    `the answer says: ${said(answer.body)}`,
    ANOTHER_ADDRESS,
  );
}

function isPage({ headers }: Answer): boolean {
  return /^text\/html\b/i.test(headers['content-type'] ?? '');
}

/** The title of the page that a browser gets; undefined when it gets none. */
async function titleOf(target: Target): Promise<string | undefined> {
  const page = await target.page(`${target.basePath}/`);
  if (!answered(page) || page.status !== 200 || !isPage(page)) return undefined;
  return /<title>([^<]{1,80})/i.exec(page.body)?.[1]?.trim();
}
