/**
 * The load generator, a process of its own: takes jobs from its parent, sends requests as fast as
 * the pace says, and checks every answer.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../statistics.ts';
import { Connection } from './connection.ts';
import type { Answer, Exchange, Job, Latency, LoadResult } from './job.ts';
import { Verifier } from './verify.ts';

/** Browsers open six connections to a host over HTTP/1.1. */
const BROWSER_CONNECTIONS = 6;

/** A request ready to be written. */
interface Prepared {
  readonly bytes: Buffer;
  readonly verifier: Verifier;
}

class Run {
  readonly #job: Job;
  readonly #requests: readonly Prepared[];
  readonly #connections: Connection[] = [];
  readonly latencies: number[] = [];
  shed = 0;
  #next = 0;
  #fail: (error: Error) => void = () => undefined;
  readonly failure: Promise<never>;

  constructor(job: Job) {
    this.#job = job;
    this.#requests = prepare(job);
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
  }

  open(count: number): readonly Connection[] {
    while (this.#connections.length < count) this.#connections.push(new Connection(this.#job.port, this.#fail));
    return this.#connections;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Sends the next request and calls back once its answer is checked. */
  send(connection: Connection, done: () => void): void {
    const request = this.#requests[this.#next++ % this.#requests.length] as Prepared;
    const start = performance.now();
    connection.send(request.bytes, (status, body) => {
      this.latencies.push(performance.now() - start);
      request.verifier.check(status, body);
      done();
    });
  }

  preflight(connection: Connection, done: () => void): void {
    connection.send(preflightBytes(this.#job), (status) => {
      if (status !== 200 && status !== 204) throw new Error(`status ${status} for a preflight`);
      done();
    });
  }

  saturate(connections: number, ms: number): Promise<void> {
    const end = performance.now() + ms;
    return new Promise((resolve) => {
      let running = connections;
      for (const connection of this.open(connections)) {
        const again = (): void => {
          if (performance.now() < end) this.send(connection, again);
          else if (--running === 0) resolve();
        };
        again();
      }
    });
  }

  count(connections: number, requests: number): Promise<void> {
    return new Promise((resolve) => {
      let left = requests;
      let running = connections;
      for (const connection of this.open(connections)) {
        const again = (): void => {
          if (left-- > 0) this.send(connection, again);
          else if (--running === 0) resolve();
        };
        again();
      }
    });
  }

  atOnce(requests: number): Promise<void> {
    const request = this.#requests[0] as Prepared;
    return new Promise((resolve) => {
      let unanswered = requests;
      for (const connection of this.open(requests)) {
        connection.send(request.bytes, (status, body) => {
          if (status === 503) this.shed++;
          else request.verifier.check(status, body);
          connection.close();
          if (--unanswered === 0) resolve();
        });
      }
    });
  }

  /** One page: every connection sends a preflight, then takes requests until none is left. */
  page(): Promise<void> {
    return new Promise((resolve) => {
      let unsent = this.#requests.length;
      let unanswered = unsent;
      for (const connection of this.open(BROWSER_CONNECTIONS)) {
        const again = (): void => {
          if (unsent === 0) return;
          unsent--;
          this.send(connection, () => {
            if (--unanswered === 0) resolve();
            else again();
          });
        };
        this.preflight(connection, again);
      }
    });
  }
}

function prepare(job: Job): Prepared[] {
  const verifiers = new Map<Exchange, Verifier>();
  // Every body meets every set of headers when their counts have no common divisor; one pass is enough for load.
  return job.exchanges.map((exchange, index) => {
    const headers = job.headers[index % job.headers.length] ?? [];
    const verifier = verifiers.get(exchange) ?? new Verifier(exchange);
    verifiers.set(exchange, verifier);
    const head = [
      `POST ${job.path} HTTP/1.1`,
      `Host: 127.0.0.1:${job.port}`,
      ...headers,
      'Content-Type: application/json',
      `Content-Length: ${exchange.body.length}`,
    ];
    return { bytes: Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), exchange.body]), verifier };
  });
}

function preflightBytes(job: Job): Buffer {
  const origin =
    job.headers[0]?.find((line) => line.toLowerCase().startsWith('origin:')) ?? 'Origin: http://localhost:8233';
  return Buffer.from(
    [
      `OPTIONS ${job.path} HTTP/1.1`,
      `Host: 127.0.0.1:${job.port}`,
      origin,
      'Access-Control-Request-Method: POST',
      'Access-Control-Request-Headers: content-type,x-namespace',
      '\r\n',
    ].join('\r\n'),
  );
}

async function perform(run: Run, job: Job): Promise<LoadResult> {
  const pages: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { pace } = job;
  if (pace.kind === 'saturate') await run.saturate(pace.connections, pace.ms);
  else if (pace.kind === 'serial') await run.count(1, pace.requests);
  else if (pace.kind === 'count') await run.count(pace.connections, pace.requests);
  else if (pace.kind === 'at-once') await run.atOnce(pace.requests);
  else
    for (let i = 0; i < pace.pages; i++) {
      const begin = performance.now();
      await run.page();
      pages.push(performance.now() - begin);
      await pause(pace.pauseMs);
    }
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return {
    requests: run.latencies.length,
    wallMs,
    latency: latencyOf(run.latencies),
    ...(pages.length > 0 && { page: latencyOf(pages) }),
    ...(pace.kind === 'at-once' && { shed: run.shed }),
    clientCpuMs: (user + system) / 1000,
  };
}

function latencyOf(values: readonly number[]): Latency {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

async function answerTo(job: Job): Promise<Answer> {
  const run = new Run(job);
  try {
    return { ok: await Promise.race([perform(run, job), run.failure]) };
  } catch (error) {
    return { failed: (error as Error).message };
  } finally {
    run.close();
  }
}

process.on('message', (job: Job) => {
  void answerTo(job).then((answer) => process.send?.(answer));
});
