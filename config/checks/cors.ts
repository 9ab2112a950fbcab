/** Origins: exact, complete, and as browsers write them. */
import type { Problem } from '../problem.ts';
import type { CodecServerConfig } from '../schema.ts';

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
    return `${quote(origin)} is no origin: write scheme, host and port, such as 'https://cloud.temporal.io'.`;
  if (url.origin !== origin)
    return `${quote(origin)} is not what a browser sends: write ${quote(url.origin)}, without path and without slash at the end.`;
  return undefined;
}

function quote(text: string): string {
  return `'${text}'`;
}
