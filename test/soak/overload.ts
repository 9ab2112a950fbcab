/**
 * More than a server can take, all at once: what it cannot take it has to refuse at once, with a status of its own for that,
 * while it answers the rest; and a moment later it has to be as before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SoakAnswer } from './client.ts';
import { SoakClient } from './client.ts';
import { type FullFigures, fillUp } from './full.ts';
import { bodyOf, type Sample } from './samples.ts';
import type { ServerUnderSoak } from './server.ts';

export interface OverloadFigures {
  readonly requests: number;
  readonly served: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Milliseconds of half of the refusals, and of the slowest answer of any kind. */
  readonly refusedP50: number;
  readonly servedP50: number;
  readonly slowest: number;
  /** Milliseconds of the first request afterwards. */
  readonly afterwards: number;
  /** What a server that reads bodies itself does when it is full of them. */
  readonly full?: FullFigures;
  readonly problems: readonly string[];
}

/** Waves, with a pause in which the gateway's token bucket fills again; so many more, while each is slower than it may be. */
const WAVES = 2;
const MORE_WAVES = 2;
const PAUSE_MS = 1_500;
/** Milliseconds that an answer may always take, and that none may take on the slowest of machines. */
const [FEWEST_MS, MOST_MS] = [30_000, 120_000];
/** How much slower a wave may be than the first: a queue that grows from wave to wave is one that nobody bounds. */
const MOST_GROWTH = 2;
/** Milliseconds below which a wave is fast, whatever the one before took. */
const TAIL_FLOOR_MS = 1_000;

/** Sends the waves. @param head headers of a caller who may decode the sample */
export async function overload(
  server: ServerUnderSoak,
  head: Record<string, string>,
  { plain, sealed }: Sample,
): Promise<OverloadFigures> {
  const { tooMuch, holds, refusals } = server;
  const crowd = new SoakClient(server, tooMuch.requests);
  const [body, expected] = [bodyOf([sealed]), bodyOf([plain])];
  const answers: SoakAnswer[] = [];
  const afterwards: number[] = [];
  const slowestOfWave: number[] = [];
  const problems: string[] = [];
  for (let wave = 0; wave < WAVES || (wave < WAVES + MORE_WAVES && grows(slowestOfWave)); wave++) {
    const requests = Array.from({ length: tooMuch.requests }, () => crowd.send('POST', '/decode', head, body));
    const arrived = await Promise.all(requests);
    answers.push(...arrived);
    slowestOfWave.push(Math.max(...arrived.map(({ milliseconds }) => milliseconds)));
    await sleep(PAUSE_MS);
    const next = await crowd.send('POST', '/decode', head, body);
    afterwards.push(next.milliseconds);
    if (next.body !== expected) problems.push(`after wave ${wave + 1} a request is answered ${next.status}`);
  }
  crowd.close();
  const full = holds === undefined ? undefined : await fillUp(server, holds, head, body, expected);

  const served = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => refusals.includes(status));
  const others = answers.filter((answer) => !served.includes(answer) && !refused.includes(answer));
  const slowest = Math.max(...slowestOfWave);
  const wrong = served.filter((answer) => answer.body !== expected).length;
  if (wrong > 0) problems.push(`${wrong} wrong answers under overload`);
  if (others.length > 0) problems.push(`${others.length} requests under overload are answered ${others[0]?.status}`);
  // How many a server refuses that reads bodies itself depends on how fast it works: that it does is shown when it is full.
  if (served.length === 0 || (refused.length === 0 && full === undefined))
    problems.push(`overload: ${served.length} served and ${refused.length} refused, which is not what overload is`);
  if (slowest > mostMilliseconds(tooMuch.requests, Math.max(...afterwards)))
    problems.push(`under overload an answer takes ${Math.round(slowest)} ms`);
  if (grows(slowestOfWave))
    problems.push(`the slowest answers of the waves take ${slowestOfWave.map(Math.round).join(', ')} ms`);
  return {
    requests: answers.length,
    served: served.length,
    refused: countBy(refused.map(({ status }) => String(status))),
    refusedP50: median(refused.map(({ milliseconds }) => milliseconds)),
    servedP50: median(served.map(({ milliseconds }) => milliseconds)),
    slowest: Math.round(slowest),
    afterwards: Math.round(Math.max(...afterwards)),
    ...(full && { full }),
    problems: [...problems, ...(full?.problems ?? [])],
  };
}

/**
 * Whether every wave after the first is too slow. One may be, since the machine did something else; a queue that nobody
 * bounds makes the next one slower still.
 */
export function grows([first = 0, ...later]: readonly number[]): boolean {
  return later.length > 0 && later.every((slowest) => slowest > Math.max(first, TAIL_FLOOR_MS) * MOST_GROWTH);
}

/**
 * Milliseconds that the slowest answer of a wave may take: as long as all of the wave would, one after another, on a machine
 * that is as busy.
 *
 * @param requests of a wave
 * @param alone milliseconds of one that has the server to itself
 */
export function mostMilliseconds(requests: number, alone: number): number {
  return Math.min(MOST_MS, Math.max(FEWEST_MS, requests * alone));
}

function countBy(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}
