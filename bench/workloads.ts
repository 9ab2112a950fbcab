/**
 * What is asked of every server. Bodies differ from request to request, since a server that answers
 * the same bytes over and over flatters its caches and branch predictors.
 */
import { type Plain, plainPayload, type Seal } from './formats.ts';
import type { Exchange, Pace } from './load/job.ts';
import { seededRandom } from './statistics.ts';

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Bytes of JSON of every payload of a request; one request an element. */
  readonly requests: readonly (readonly number[])[];
  readonly pace: (effort: Effort) => Pace;
}

/** How long a round may take. */
export interface Effort {
  readonly ms: number;
  readonly pages: number;
  readonly serial: number;
}

/**
 * Bytes of JSON behind the slots of one page of the Web UI: a history whose events carry inputs,
 * results, headers, memo fields and summaries. One payload a request, as the UI sends them.
 */
const PAGE = [
  312, 48, 1180, 96, 22, 640, 205, 12, 2210, 148, 33, 410, 870, 61, 19, 1540, 260, 74, 3900, 118, 27, 505, 180, 9, 760,
  350, 41, 1020, 88, 230,
];

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'w1',
    title: 'one payload of 300 B, 16 connections',
    requests: repeated(64, [300]),
    pace: ({ ms }) => ({ kind: 'saturate', connections: 16, ms }),
  },
  {
    name: 'w2',
    title: '100 payloads of 1 KB, 8 connections',
    requests: repeated(8, repeated(100, 1024)),
    pace: ({ ms }) => ({ kind: 'saturate', connections: 8, ms }),
  },
  {
    name: 'w3',
    title: 'one payload of 1 MB, 4 connections',
    requests: repeated(4, [1024 * 1024]),
    pace: ({ ms }) => ({ kind: 'saturate', connections: 4, ms }),
  },
  {
    name: 'page',
    title: 'a Web UI page: 30 one-payload requests over 6 connections, each after a preflight',
    requests: PAGE.map((bytes) => [bytes]),
    pace: ({ pages }) => ({ kind: 'pages', pages, pauseMs: 5 }),
  },
  {
    name: 'export',
    title: 'a CLI export: one-payload requests, one after the other',
    requests: PAGE.map((bytes) => [bytes]),
    pace: ({ serial }) => ({ kind: 'serial', requests: serial }),
  },
];

/** The requests of a workload in a format, with their right answers. */
export async function exchangesOf(workload: Workload, seal: Seal, echo = false): Promise<Exchange[]> {
  const random = seededRandom(20_261_124);
  const exchanges: Exchange[] = [];
  for (const sizes of workload.requests) {
    const plains = sizes.map((bytes) => plainJson(bytes, random));
    const payloads = await seal(plains, random);
    const body = Buffer.from(JSON.stringify({ payloads }));
    exchanges.push({ body, answer: echo ? 'echo' : plains.map(plainPayload) });
  }
  return exchanges;
}

const WORDS = ['order', 'customer', 'shipped', 'Zürich', 'amount', 'pending', 'warehouse', 'retry', 'invoice', 'EUR'];

/** A JSON object of exactly so many bytes, made of fields such as workflows pass around. */
export function plainJson(bytes: number, random: () => number): Plain {
  const fields: string[] = [];
  let length = 2;
  while (length < bytes) {
    const word = WORDS[Math.floor(random() * WORDS.length)] ?? '';
    const field = `"${word}-${Math.floor(random() * 1e6)}":${random() < 0.5 ? `"${word} ${random()}"` : random()}`;
    const more = Buffer.byteLength(field) + 1;
    if (length + more > bytes) break;
    fields.push(field);
    length += more;
  }
  const text = `{${fields.join(',')}}`;
  // White space is JSON's own padding; a JSON text too short for an object is a number of as many digits.
  const json = Buffer.from(
    bytes < 2 ? '7'.repeat(bytes) : text.padEnd(bytes - (Buffer.byteLength(text) - text.length)),
  );
  return { json };
}

function repeated<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}
