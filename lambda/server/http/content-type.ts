/** What a request body is sent as. */
import { HttpError } from './http-error.ts';

const JSON_TYPE = 'application/json';
/** Of parameters only the charset matters; JSON is UTF-8 (RFC 8259 section 8.1). */
const PARAMETER_NAME = /^[\w-]+$/;
const UTF_8 = /^"?utf-?8"?$/i;

/**
 * Makes sure that the body is JSON as it stands. A type is required: without one, a page of another
 * site could send a body that its browser does not ask us about first.
 *
 * @param contentType every value of `Content-Type`
 * @param contentEncoding every value of `Content-Encoding`
 * @throws HttpError (415)
 */
export function requireJson(contentType: readonly string[], contentEncoding: readonly string[]): void {
  const [type] = contentType;
  if (contentType.length !== 1 || (type !== JSON_TYPE && !isJson(type ?? '')))
    throw new HttpError(415, 'Send the body as Content-Type: application/json');
  if (contentEncoding.length > 0 && contentEncoding.some((coding) => coding.toLowerCase() !== 'identity'))
    throw new HttpError(415, 'Send the body without a Content-Encoding');
}

/** Taken apart by hand: a pattern for all of it tries every way to share out the blanks. */
function isJson(type: string): boolean {
  const [essence = '', ...parameters] = type.split(';');
  return essence.trimEnd().toLowerCase() === JSON_TYPE && parameters.every(isHarmless);
}

/** Whether a parameter is one, or empty, and changes nothing. */
function isHarmless(parameter: string): boolean {
  const text = parameter.trim();
  if (text === '') return true;
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trimEnd();
  if (!PARAMETER_NAME.test(name)) return false;
  return name.toLowerCase() !== 'charset' || UTF_8.test(text.slice(equals + 1).trimStart());
}
