/** Origins: exact, complete, and as browsers write them. */
import { isWhole, type Problem } from '../problem.ts';
import type { CodecServerConfig, Limits } from '../schema.ts';

/** Problems of `cors`. */
export function checkCors({ cors }: Pick<CodecServerConfig, 'cors'>): Problem[] {
  const seen = new Map<string, number>();
  return cors.origins.flatMap((origin, index): Problem[] => {
    const path = `cors.origins[${index}]`;
    const first = seen.get(origin);
    if (first !== undefined)
      return [{ path, message: `${quote(origin)} is already cors.origins[${first}]: remove one.` }];
    seen.set(origin, index);
    const message = originProblem(origin);
    return message === undefined ? [] : [{ path, message }];
  });
}

function originProblem(origin: string): string | undefined {
  if (origin.includes('*'))
    return `${quote(origin)} has a wildcard, with which any site could read payloads through somebody's browser: list exact origins.`;
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol))
    return `${quote(origin)} is not an origin: write scheme, host and port, such as 'https://cloud.temporal.io'.`;
  if (url.origin !== origin)
    return `${quote(origin)} is not what a browser sends: write ${quote(url.origin)}, without path and without slash at the end.`;
  return undefined;
}

function quote(text: string): string {
  return `'${text}'`;
}

// Limits: whole numbers that a server can live with.

/** The highest value of each limit that makes sense; above it the process, not the limit, would give way. */
const MOST: Readonly<Record<keyof Limits, number>> = {
  bodyBytes: 64_000_000,
  payloads: 100_000,
  layers: 32,
  inflatedBytes: 256 * 1024 * 1024,
};

/** Problems of `limits`. */
export function checkLimits({ limits = {} }: Pick<CodecServerConfig, 'limits'>): Problem[] {
  return (Object.keys(MOST) as (keyof Limits)[]).flatMap((name): Problem[] => {
    const value = limits[name];
    if (value === undefined || isWhole(value, 1, MOST[name])) return [];
    return [{ path: `limits.${name}`, message: `${String(value)} is not a whole number from 1 to ${MOST[name]}.` }];
  });
}
