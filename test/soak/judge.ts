/** Decides what an answer is worth, byte by byte. */
import type { SoakAnswer, SoakClient } from './client.ts';
import type { Standstills } from './standstill.ts';
import type { Tally } from './tally.ts';

/** How things are with what the server depends on. */
export interface Weather {
  /** Whether something is out, or was a moment ago, so that a 503 is a right answer. */
  readonly mayBeUnavailable: boolean;
  /** Whether nothing is out, so that the time of an answer is the server's own. */
  readonly quiet: boolean;
}

/** How things were when a request was sent. */
interface Before extends Weather {
  /** Of `performance.now()`. */
  readonly moment: number;
}

/** Milliseconds of a standstill of the soak after which KMS and the issuer, which it plays, were out: a call waits for two seconds. */
const OUT_MS = 1_000;

export class Judge {
  readonly #client: Pick<SoakClient, 'send'>;
  readonly #tally: Tally;
  readonly #weather: Weather;
  readonly #standstills: Pick<Standstills, 'longestSince'>;

  constructor(
    client: Pick<SoakClient, 'send'>,
    tally: Tally,
    weather: Weather,
    standstills: Pick<Standstills, 'longestSince'>,
  ) {
    this.#client = client;
    this.#tally = tally;
    this.#weather = weather;
    this.#standstills = standstills;
  }

  /** POSTs a body, to get a 200 with what is expected. @returns the answer if it was right */
  async expect(
    kind: string,
    path: string,
    headers: Record<string, string>,
    body: string,
    isRight: (answer: string) => boolean,
  ): Promise<SoakAnswer | undefined> {
    const before = this.#now();
    const answer = await this.#client.send('POST', path, headers, body);
    const right = answer.status === 200 && isRight(answer.body);
    this.#add(kind, before, answer, right ? 'right' : 'wrong');
    return right ? answer : undefined;
  }

  /** POSTs what deserves to be refused with a status. */
  async refused(kind: string, status: number, headers: Record<string, string>, body: string): Promise<void> {
    const before = this.#now();
    const answer = await this.#client.send('POST', '/decode', headers, body);
    this.#add(kind, before, answer, answer.status === status ? 'refused' : 'wrong');
  }

  /** Asks permission as a browser does. */
  async preflight(path: string, headers: Record<string, string>): Promise<void> {
    const before = this.#now();
    const asked = { ...headers, 'access-control-request-method': 'POST' };
    const answer = await this.#client.send('OPTIONS', path, asked, '');
    const right = answer.status === 204 && answer.allowedOrigin === headers['origin'];
    this.#add('preflight', before, answer, right ? 'right' : 'wrong');
  }

  #now(): Before {
    const { mayBeUnavailable, quiet } = this.#weather;
    return { mayBeUnavailable, quiet, moment: performance.now() };
  }

  #add(kind: string, before: Before, answer: SoakAnswer, verdict: 'right' | 'refused' | 'wrong'): void {
    const stoodStill = this.#standstills.longestSince(before.moment);
    const out = before.mayBeUnavailable || this.#weather.mayBeUnavailable || stoodStill > OUT_MS;
    if (answer.status === 0) this.#tally.add('lost', kind, answer, false);
    else if (verdict === 'wrong' && answer.status === 503 && answer.retryAfter && out)
      this.#tally.add('unavailable', kind, answer, false);
    else this.#tally.add(verdict, kind, answer, before.quiet && this.#weather.quiet && stoodStill === 0);
  }
}
