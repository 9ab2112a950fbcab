/**
 * The traffic: recorded pages of the Web UI, recorded commands of the CLI, recorded calls of the SDKs,
 * payloads from 0 bytes to 4 MB, and requests that deserve to be refused. Every answer is compared
 * with what was encrypted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpsIssuer } from '../support/https-issuer.ts';
import type { SoakClient } from './client.ts';
import type { Judge } from './judge.ts';
import { recordedSessions, type Session } from './recordings.ts';
import { isFromBrowser, replay, sizesIn } from './replay.ts';
import { bodyOf, plainPayload, type Sample, Samples } from './samples.ts';

export interface TrafficOptions {
  readonly client: SoakClient;
  readonly issuer: HttpsIssuer;
  readonly judge: Judge;
  /** Bytes of a body above which a 413 is right. */
  readonly bodyBytes: number;
}

/** Traffic that goes on until it is told to stop. */
export type Flow = (stop: AbortSignal) => Promise<void>;

const ORIGIN = 'https://cloud.temporal.io';
const READ = 'orders.a1b2c';
const OTHER = 'billing.a1b2c';
const SIZES = [0, 1, 20, 300, 1_000, 10_000, 100_000];
const LARGE = [1_000_000, 2_000_000, 2_900_000, 4_000_000];
/** Recorded sessions of more requests are exports, which have a flow of their own. */
const LONG = 150;

/** Has the samples encrypted and makes the flows. */
export async function makeTraffic({ client, issuer, judge, bodyBytes }: TrafficOptions): Promise<readonly Flow[]> {
  const headers = (sub: string, namespace: string): Record<string, string> => ({
    'content-type': 'application/json',
    'x-namespace': namespace,
    authorization: `Bearer ${issuer.token({ sub })}`,
  });
  const samples = new Samples(client, headers('writer', READ));
  const others = new Samples(client, headers('writer', OTHER));
  const sessions = recordedSessions();
  await samples.prepare(sizesIn(sessions));
  const small = await each(SIZES, (size) => samples.make(size));
  const fits = (size: number): boolean => bodyOf([plainPayload(size)]).length < bodyBytes;
  const large = await each(LARGE.filter(fits), (size) => samples.make(size));
  const foreign = await others.make(300);
  const tooLarge = LARGE.find((size) => !fits(size));

  const decode = (kind: string, head: Record<string, string>, { plain, sealed }: Sample) =>
    judge.expect(kind, '/decode', head, bodyOf([sealed]), (body) => body === bodyOf([plain]));
  const replayed = (session: Session) =>
    // every page load brings a fresh token
    replay(session, { namespace: READ, origin: ORIGIN, token: issuer.token({ sub: 'writer' }) }, judge, samples);

  const pages = sessions.filter((session) => isFromBrowser(session));
  const commands = sessions.filter((session) => !isFromBrowser(session) && session.requests.length <= LONG);
  const exports = sessions.filter((session) => !isFromBrowser(session) && session.requests.length > LONG);
  const good = () => headers('reader', READ);
  const bad = [
    () => judge.refused('no token', 401, without(good(), 'authorization'), bodyOf([])),
    () => judge.refused('expired', 401, { ...good(), authorization: issuer.token({ exp: 1_000_000 }) }, bodyOf([])),
    () => judge.refused('foreign audience', 401, { ...good(), authorization: issuer.token({ aud: 'x' }) }, bodyOf([])),
    () => judge.refused('not JSON', 400, good(), bodyOf([pick(small, 3).sealed]).slice(0, -20)),
    () => judge.refused('not base64', 400, good(), bodyOf([pick(small, 3).sealed]).replace('"data":"', '"data":"!')),
    () => judge.refused('wrong type', 415, { ...good(), 'content-type': 'text/plain' }, bodyOf([])),
    () => judge.refused('foreign origin', 403, { ...good(), origin: 'https://elsewhere.example' }, bodyOf([])),
    () =>
      judge.refused('too large', 413, good(), tooLarge ? bodyOf([plainPayload(tooLarge)]) : 'x'.repeat(bodyBytes + 1)),
    // what may not or cannot be decoded comes back as it was
    () => decode('not for opening', good(), { sealed: foreign.sealed, plain: foreign.sealed }),
    () => decode('not for opening', good(), tampered(pick(small, 3).sealed)),
  ];

  return [
    loop(100, (index) => replayed(pick(pages, index))),
    loop(20, (index) => replayed(pick(commands, index))),
    loop(500, (index) => replayed(pick(exports, index))),
    loop(20, (index) => decode('0 to 100 KB', good(), pick(small, index))),
    loop(500, (index) => decode('1 to 4 MB', good(), pick(large, index))),
    loop(50, (index) => pick(bad, index)()),
  ];
}

function loop(pause: number, round: (index: number) => Promise<unknown>): Flow {
  return async (stop) => {
    for (let index = 0; !stop.aborted; index++) {
      await round(index);
      await sleep(pause);
    }
  };
}

async function each<T, R>(list: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (const item of list) made.push(await make(item));
  return made;
}

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}

/** A payload with one character of its ciphertext changed, which comes back as it was. */
function tampered(sealed: string): Sample {
  const at = sealed.length - 40;
  const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
  return { sealed: changed, plain: changed };
}
