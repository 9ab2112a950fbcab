/**
 * A server full of bodies: requests whose last byte is kept back hold all the memory it gives to bodies, however
 * fast it works. Whoever comes then is refused at once, and whoever was let in is served when the last byte comes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerAddress, type SoakAnswer, SoakClient } from './client.ts';

export interface FullFigures {
  /** Requests that the server took in before it refused one. */
  readonly held: number;
  /** Of those, how many were answered rightly when their last byte came. */
  readonly served: number;
  readonly refused: number;
  /** Milliseconds of half of the refusals, and of the slowest. */
  readonly refusedP50: number;
  readonly refusedMost: number;
  /** Milliseconds of the first request afterwards. */
  readonly afterwards: number;
  readonly problems: readonly string[];
}

/** Requests that come to the full server, one after the other. */
const LATECOMERS = 20;
/** Milliseconds for the server to read what is on its way, between two looks. */
const LOOK_MS = 50;
/** How often there is a look for a refusal after every body that is kept back. */
const LOOKS = 4;
/** Milliseconds within which a refusal is one at once, on a machine that does other things as well. */
const AT_ONCE_MS = 500;

/** @param holds bytes of bodies that the server holds @param body of a request, answered with `expected` */
export async function fillUp(
  server: ServerAddress,
  holds: number,
  head: Record<string, string>,
  body: string,
  expected: string,
): Promise<FullFigures> {
  const most = Math.ceil(holds / body.length) + LATECOMERS;
  const client = new SoakClient(server, most + 1);
  const last = Promise.withResolvers<void>();
  const early: SoakAnswer[] = [];
  const kept: Promise<SoakAnswer>[] = [];
  while (early.length === 0 && kept.length < most) {
    const request = client.send('POST', '/decode', head, body, last.promise);
    kept.push(request);
    void request.then((answer) => early.push(answer));
    for (let look = 0; look < LOOKS && early.length === 0; look++) await sleep(LOOK_MS);
  }
  const latecomers: SoakAnswer[] = [];
  for (let number = 0; number < LATECOMERS; number++) latecomers.push(await client.send('POST', '/decode', head, body));
  const refused = [...early, ...latecomers];
  const held = kept.length - early.length;
  last.resolve();
  const answers = await Promise.all(kept);
  const served = answers.filter((answer) => answer.status === 200 && answer.body === expected).length;
  const next = await client.send('POST', '/decode', head, body);
  client.close();

  const times = latecomers.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b);
  const refusedP50 = Math.round(times[Math.floor(times.length / 2)] ?? 0);
  const others = refused.filter(({ status, retryAfter }) => status !== 503 || !retryAfter);
  return {
    held,
    served,
    refused: refused.length - others.length,
    refusedP50,
    refusedMost: Math.round(times.at(-1) ?? 0),
    afterwards: Math.round(next.milliseconds),
    problems: [
      ...(others.length > 0
        ? [`a full server answers ${others[0]?.status} to ${others.length} requests, not 503`]
        : []),
      ...(served < held ? [`of ${held} requests that a full server held it answers ${served} rightly`] : []),
      ...(refusedP50 > AT_ONCE_MS ? [`a full server takes ${refusedP50} ms to refuse`] : []),
      ...(next.body === expected ? [] : [`after it was full the server answers ${next.status}`]),
    ],
  };
}
