/** What a request body is sent as. */
import { Refusal } from './refusal.ts';

const JSON_TYPE = 'application/json';
/** With parameters, of which only the charset matters; JSON is UTF-8 (RFC 8259 section 8.1). */
const JSON_WITH_PARAMETERS =
  /^application\/json\s*(?:;\s*(?:charset\s*=\s*"?utf-?8"?|(?!charset)[\w-]+\s*=[^;]*)\s*)*;?$/i;

/**
 * Makes sure that the body is JSON as it stands. A type is required: without one, a page of another
 * site could send a body that its browser does not ask us about first.
 *
 * @param contentType every value of `Content-Type`
 * @param contentEncoding every value of `Content-Encoding`
 * @throws Refusal (415)
 */
export function requireJson(contentType: readonly string[], contentEncoding: readonly string[]): void {
  const [type] = contentType;
  if (contentType.length !== 1 || (type !== JSON_TYPE && !JSON_WITH_PARAMETERS.test(type ?? '')))
    throw new Refusal(415, 'Send the body as Content-Type: application/json');
  if (contentEncoding.length > 0 && contentEncoding.some((coding) => coding.toLowerCase() !== 'identity'))
    throw new Refusal(415, 'Send the body without a Content-Encoding');
}
