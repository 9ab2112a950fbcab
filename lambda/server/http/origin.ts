/**
 * Which web pages may call. A page of any other origin is refused outright: leaving the CORS headers
 * away would hide the answer from the page and still do the work.
 */
import { HttpError } from './http-error.ts';

/** A page of an origin that is not allowed: told apart from other refusals because a forgotten origin looks like it. */
export class ForbiddenOriginError extends HttpError {
  constructor() {
    super(403, 'This origin may not use the codec server: add it to cors.origins in the configuration');
  }
}

/**
 * The origin of the page that calls; undefined when no browser page does.
 *
 * @param values every value of the `Origin` header
 * @throws ForbiddenOriginError (403) when the origin is not allowed
 */
export function allowedOrigin(values: readonly string[], allowed: ReadonlySet<string>): string | undefined {
  const [origin] = values;
  if (origin === undefined) return undefined;
  if (values.length === 1 && allowed.has(origin)) return origin;
  throw new ForbiddenOriginError();
}
