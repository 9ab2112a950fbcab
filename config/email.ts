/**
 * When two email addresses are the same person's. Mail providers ignore the case of ASCII letters,
 * so the rule `alice@acme.com` is meant for a token that says `Alice@Acme.com` too. Everything beyond
 * ASCII letters is compared as it is: a Cyrillic `а`, a dotless `ı`, a Kelvin sign or a full-width `＠`
 * never equals its ASCII look-alike, whatever Unicode's case mapping says.
 */

/** RFC 5321: 64 for the local part, `@`, 255 for the domain. */
const MAX_EMAIL_LENGTH = 320;
/** Printable ASCII around exactly one `@`, and a domain of letters, digits, dots and hyphens. No white space, no quotes. */
const ASCII_EMAIL = /^[!#-?A-~]+@[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?$/;
/** White space, controls and invisible format characters, which no address has and no reader sees. */
const INVISIBLE = /[\p{Z}\p{C}]/u;

/**
 * The form in which addresses are compared.
 *
 * @returns an ASCII address in lower case; an international address exactly as it is; undefined for
 *   what is not an address that could be compared safely, which therefore matches nothing
 */
export function comparableEmail(email: string): string | undefined {
  if (email.length > MAX_EMAIL_LENGTH) return undefined;
  if (ASCII_EMAIL.test(email)) return email.toLowerCase();
  if (isAscii(email)) return undefined;
  const parts = email.split('@');
  if (parts.length !== 2 || parts[0] === '' || parts[1] === '' || INVISIBLE.test(email)) return undefined;
  return email;
}

/**
 * The domain of an address for comparison, in lower case.
 *
 * @returns undefined for an address that is not wholly ASCII: those are matched by {@link comparableEmail} alone
 */
export function comparableDomain(email: string): string | undefined {
  const comparable = comparableEmail(email);
  if (comparable === undefined || !isAscii(comparable)) return undefined;
  return comparable.slice(comparable.indexOf('@') + 1);
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
