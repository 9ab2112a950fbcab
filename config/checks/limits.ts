/** Limits: whole numbers that a server can live with. */
import type { Problem } from '../problem.ts';
import type { CodecServerConfig, Limits } from '../schema.ts';

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
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= MOST[name])) return [];
    return [{ path: `limits.${name}`, message: `${String(value)} is no whole number from 1 to ${MOST[name]}.` }];
  });
}
