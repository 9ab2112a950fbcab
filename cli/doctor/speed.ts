/** How long it takes, measured against what the clients tolerate. */
import { answered } from './exchange.ts';
import { type Finding, failure, ok, unanswered, warning } from './report.ts';
import { plainBody, type Target } from './target.ts';

/** The CLI's whole page of a history must be through in this time. */
const CLI_PATIENCE_MS = 10_000;
/** Above this a page of the Web UI (20 to 40 requests) feels slow. */
const PAGE_MS = 2_000;
const WARM_REQUESTS = 10;
const PARALLEL_REQUESTS = 20;

/** The first request, ten one after the other, twenty at once. */
export async function checkLatency(target: Target): Promise<Finding> {
  // One payload a request, as the Web UI asks; an encrypted one where there is one.
  const body = target.sealedBody ?? plainBody();
  const first = await target.post('decode', body);
  if (!answered(first)) return unanswered('latency', first);
  const serial: number[] = [];
  for (let i = 0; i < WARM_REQUESTS; i++) {
    const answer = await target.post('decode', body);
    if (!answered(answer)) return unanswered('latency', answer);
    serial.push(answer.milliseconds);
  }
  const started = performance.now();
  const parallel = await Promise.all(Array.from({ length: PARALLEL_REQUESTS }, () => target.post('decode', body)));
  const page = performance.now() - started;
  const lost = parallel.filter((answer) => !answered(answer) || answer.status >= 500).length;
  const warm = median(serial);
  const figures = `first ${ms(first.milliseconds)}, then ${ms(warm)}, ${PARALLEL_REQUESTS} at once ${ms(page)}`;
  if (lost > 0)
    return failure(
      'latency',
      `${lost} of ${PARALLEL_REQUESTS} parallel requests fail (${figures})`,
      'a page of the Web UI sends as many at once; a concurrency limit or throttling cuts them off',
      'raise the reserved concurrency of the function and the throttling of the API, or the limits of the proxy',
    );
  if (warm * 20 > CLI_PATIENCE_MS)
    return failure(
      'latency',
      `too slow for the CLI (${figures})`,
      'the CLI decodes one field after the other and gives a page ten seconds',
      'put the server nearer, give it more memory or processor, and look for a key call on every request',
    );
  if (page > PAGE_MS || first.milliseconds > CLI_PATIENCE_MS / 2)
    return warning(
      'latency',
      `slow (${figures})`,
      'cold starts or a queue',
      'consider provisioned concurrency for a server that people wait for',
    );
  return ok('latency', figures);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
