/** Decides what an answer is worth, byte by byte. */
import type { SoakAnswer, SoakClient } from './client.ts';
import type { Tally } from './tally.ts';

/** How things are with what the server depends on. */
export interface Weather {
  /** Whether something is out, or was a moment ago, so that a 503 is a right answer. */
  readonly mayBeUnavailable: boolean;
  /** Whether nothing is out, so that the time of an answer is the server's own. */
  readonly quiet: boolean;
}

export class Judge {
  readonly #client: SoakClient;
  readonly #tally: Tally;
  readonly #weather: Weather;

  constructor(client: SoakClient, tally: Tally, weather: Weather) {
    this.#client = client;
    this.#tally = tally;
    this.#weather = weather;
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

  #now(): Weather {
    const { mayBeUnavailable, quiet } = this.#weather;
    return { mayBeUnavailable, quiet };
  }

  #add(kind: string, before: Weather, answer: SoakAnswer, verdict: 'right' | 'refused' | 'wrong'): void {
    const out = before.mayBeUnavailable || this.#weather.mayBeUnavailable;
    if (answer.status === 0) this.#tally.add('lost', kind, answer, false);
    else if (verdict === 'wrong' && answer.status === 503 && answer.retryAfter && out)
      this.#tally.add('unavailable', kind, answer, false);
    else this.#tally.add(verdict, kind, answer, before.quiet && this.#weather.quiet);
  }
}
