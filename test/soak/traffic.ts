/**
 * The traffic: pages of the Web UI (bursts of one-payload requests), exports of the CLI (one after the
 * other), large payloads, and requests that deserve to be refused. Every answer is compared with what
 * was encrypted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpsIssuer } from '../support/https-issuer.ts';
import type { SoakAnswer, SoakClient } from './client.ts';
import type { Tally } from './tally.ts';

export interface TrafficOptions {
  readonly client: SoakClient;
  readonly issuer: HttpsIssuer;
  readonly tally: Tally;
  /** Whether a dependency is out at the moment, so that a 503 is a right answer. */
  readonly mayBeUnavailable: () => boolean;
}

/** A payload, and the body that asks to have it decoded. */
interface Sample {
  readonly plain: string;
  readonly body: string;
}

const READ = 'orders.a1b2c';
const OTHER = 'billing.a1b2c';
const SIZES = [0, 20, 300, 300, 300, 1_000, 10_000, 100_000];
const LARGE = [1_000_000, 2_500_000, 3_000_000];

/** Encrypts the samples by `/encode` and makes the flows. */
export async function makeTraffic({ client, issuer, tally, mayBeUnavailable }: TrafficOptions) {
  const headers = (sub: string, namespace: string): Record<string, string> => ({
    'content-type': 'application/json',
    'x-namespace': namespace,
    authorization: `Bearer ${issuer.token({ sub })}`,
  });

  const sample = async (namespace: string, bytes: number): Promise<Sample> => {
    const data = Buffer.from(JSON.stringify('x'.repeat(bytes))).toString('base64');
    const plain = `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"${data}"}]}`;
    const encoded = await client.post('/encode', headers('writer', namespace), plain);
    if (encoded.status !== 200) throw new Error(`/encode answered ${encoded.status}: ${encoded.body}`);
    return { plain, body: encoded.body };
  };
  const all = (namespace: string, sizes: readonly number[]) =>
    Promise.all(sizes.map((size) => sample(namespace, size)));
  const [small, large, foreign] = await Promise.all([all(READ, SIZES), all(READ, LARGE), all(OTHER, [300])]);

  const judge = (what: string, expected: string, before: boolean, answer: SoakAnswer): void => {
    const out = before || mayBeUnavailable();
    if (answer.status === 0) tally.add('lost', what, answer);
    else if (answer.status === 200) tally.add(answer.body === expected ? 'right' : 'wrong', what, answer);
    else if (answer.status === 503 && answer.retryAfter && out) tally.add('unavailable', what, answer);
    else tally.add('wrong', what, answer);
  };

  const decode = async (what: string, head: Record<string, string>, { plain, body }: Sample): Promise<void> => {
    const before = mayBeUnavailable();
    judge(what, plain, before, await client.post('/decode?preserveStorageRefs=true', head, body));
  };

  const refused = async (what: string, status: number, head: Record<string, string>, body: string): Promise<void> => {
    const before = mayBeUnavailable();
    const answer = await client.post('/decode', head, body);
    if (answer.status === status) tally.add('refused', what, answer);
    else judge(what, `a ${status}`, before, answer);
  };

  const pick = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
  const loop =
    (pause: number, round: (index: number) => Promise<unknown>) =>
    async (stop: AbortSignal): Promise<void> => {
      for (let index = 0; !stop.aborted; index++) {
        await round(index);
        await sleep(pause);
      }
    };

  const page = loop(200, (index) => {
    // every page load brings a fresh token
    const head = { ...headers('reader', READ), origin: 'https://cloud.temporal.io' };
    return Promise.all(Array.from({ length: 30 }, (_, slot) => decode('page', head, pick(small, index + slot))));
  });
  const exportHead = headers('reader', READ);
  const exporting = loop(2, (index) => decode('export', exportHead, pick(small, index)));
  const heavy = loop(500, (index) => decode('large', headers('reader', READ), pick(large, index)));
  const bad = loop(50, async (index) => {
    const good = headers('reader', READ);
    const { body } = pick(small, index);
    const { authorization: _, ...anonymous } = good;
    const cases = [
      () => refused('no token', 401, anonymous, body),
      () => refused('expired token', 401, { ...good, authorization: issuer.token({ exp: 1_000_000 }) }, body),
      () => refused('foreign audience', 401, { ...good, authorization: issuer.token({ aud: 'other' }) }, body),
      () => refused('not JSON', 400, good, body.slice(0, -20)),
      () => refused('not base64', 400, good, body.replace('"data":"', '"data":"!')),
      () => refused('wrong type', 415, { ...good, 'content-type': 'text/plain' }, body),
      () => refused('foreign origin', 403, { ...good, origin: 'https://elsewhere.example' }, body),
      () => refused('too large', 413, good, 'x'.repeat(17_000_000)),
      // what may not be decoded comes back as it was
      () => decode('foreign namespace', good, { body: pick(foreign, 0).body, plain: pick(foreign, 0).body }),
      () => decode('tampered', good, tampered(body)),
    ];
    await pick(cases, index)();
  });
  return { flows: [page, exporting, heavy, bad] };
}

/** A payload with one character of its ciphertext changed, which comes back as it was. */
function tampered(body: string): Sample {
  const at = body.length - 40;
  const changed = `${body.slice(0, at)}${body[at] === 'A' ? 'B' : 'A'}${body.slice(at + 1)}`;
  return { body: changed, plain: changed };
}
