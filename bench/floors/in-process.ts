/**
 * The floor without HTTP: decodes request bodies in a loop and accounts for itself. A process of its
 * own, so that nothing else warms its code.
 */
import type { Exchange } from '../load/job.ts';
import { Verifier } from '../load/verify.ts';
import { plainDecode } from './plain-decode.ts';

/** Bodies to decode, and for how long. */
export interface InProcessJob {
  readonly exchanges: readonly Exchange[];
  readonly ms: number;
}

export interface InProcessResult {
  readonly requests: number;
  readonly cpuMs: number;
}

process.on('message', ({ exchanges, ms }: InProcessJob) => {
  for (const exchange of exchanges) new Verifier(exchange).check(200, Buffer.from(plainDecode(exchange.body)));
  const cpu = process.cpuUsage();
  const end = performance.now() + ms;
  let requests = 0;
  while (performance.now() < end) for (const { body } of exchanges) requests += plainDecode(body).length > 0 ? 1 : 0;
  const { user, system } = process.cpuUsage(cpu);
  process.send?.({ requests, cpuMs: (user + system) / 1000 } satisfies InProcessResult);
});
