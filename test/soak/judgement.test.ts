import { describe, expect, it } from '@jest/globals';
import type { SoakAnswer } from './client.ts';
import { Judge } from './judge.ts';
import { grows, mostMilliseconds } from './overload.ts';
import { mostMegabytes, problemsOf, type SoakFigures } from './report.ts';
import { Standstills } from './standstill.ts';
import { Tally } from './tally.ts';

/** Answers of a server: half of the first hundred milliseconds, and now and then one that waits for seconds. */
async function soak(answer: Partial<SoakAnswer>, stoodStill: number): Promise<Tally> {
  const tally = new Tally();
  const ok: SoakAnswer = { status: 200, body: '{}', milliseconds: 5, retryAfter: false, allowedOrigin: undefined };
  let sent = 0;
  let still = 0;
  const client = {
    send: async () => {
      const isSlow = ++sent % 20 === 0;
      still = isSlow ? stoodStill : 0;
      return isSlow ? { ...ok, ...answer } : ok;
    },
  };
  const judge = new Judge(client, tally, { mayBeUnavailable: false, quiet: true }, { longestSince: () => still });
  for (let i = 0; i < 2_000; i++) await judge.expect('CLI', '/decode', {}, '{}', (body) => body === '{}');
  return tally;
}

const FIGURES: SoakFigures = {
  server: 'a server',
  minutes: 1,
  requests: 2_000,
  answers: { right: 2_000, refused: 0, unavailable: 0, wrong: 0, lost: 0 },
  latencyMs: {},
  memoryMb: { settled: 200, most: 200, end: 200, series: [] },
  faults: [],
  kmsCalls: 0,
  issuerFetches: 0,
  overload: {
    requests: 1,
    served: 1,
    refused: {},
    refusedP50: 1,
    servedP50: 1,
    slowest: 1,
    afterwards: 1,
    problems: [],
  },
};

describe('a soak', () => {
  it('fails for a server that lets one request of twenty wait for two seconds', async () => {
    const latencyMs = (await soak({ milliseconds: 2_000 }, 0)).latencies();
    expect(problemsOf({ ...FIGURES, latencyMs })).toEqual([expect.stringMatching(/^CLI: p99 of 2\d{3}/)]);
  });

  it('does not take the time for the server’s in which the soak itself stood still', async () => {
    const latencyMs = (await soak({ milliseconds: 2_000 }, 400)).latencies();
    expect(problemsOf({ ...FIGURES, latencyMs })).toEqual([]);
  });

  it('fails for a 503 in fair weather, and not when the KMS that it plays had stood still', async () => {
    const refusal = { status: 503, retryAfter: true };
    expect((await soak(refusal, 400)).counts).toMatchObject({ wrong: 100, unavailable: 0 });
    expect((await soak(refusal, 1_500)).counts).toMatchObject({ wrong: 0, unavailable: 100 });
  });

  it('fails when memory has grown by more than comes and goes with bodies', () => {
    expect(mostMegabytes(200)).toBe(264);
    const grown = (end: number) => problemsOf({ ...FIGURES, memoryMb: { ...FIGURES.memoryMb, end } });
    expect([grown(264), grown(265)]).toEqual([[], ['memory grew from 200 to 265 MB']]);
  });

  it('fails when waves of overload get slower and slower, and not for one slow wave', () => {
    expect(grows([1_500, 4_000, 6_000, 9_000])).toBe(true);
    expect(grows([1_500, 4_000, 1_400])).toBe(false);
    expect(grows([100, 1_900])).toBe(false);
  });

  it('fails when an answer under overload takes longer than all of them would one after another', () => {
    expect(mostMilliseconds(80, 15)).toBe(30_000);
    expect(mostMilliseconds(80, 450)).toBe(36_000);
    expect(mostMilliseconds(80, 5_000)).toBe(120_000);
  });
});

it('a standstill is seen as soon as it is over, and by who asks about the time before it alone', async () => {
  const standstills = new Standstills();
  const before = performance.now();
  for (const end = before + 500; performance.now() < end; );
  expect(standstills.longestSince(before)).toBeGreaterThan(400);
  expect(standstills.longestSince(performance.now())).toBe(0);
  standstills.stop();
});
