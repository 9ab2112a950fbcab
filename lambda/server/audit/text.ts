/**
 * What may stand in a log line. Names, ids and header values come from strangers: they are cut to a
 * bound, and what has the shape of a secret is taken out, whoever put it there.
 */

/** Characters of one value; a namespace, an email, an origin are far shorter. */
const MAX_LENGTH = 256;

/** The start of a JSON object in base64url, as every token has it, a service token, and a value of an authorization header. */
const SECRETS = /eyJ[A-Za-z0-9_-]{5,}[A-Za-z0-9_.-]*|codec_[A-Za-z0-9_-]{20,}|\b(?:bearer|basic) +[^\s"]+/gi;

/** Cuts and redacts a text for a log line. */
export function loggable(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return SHAPES.test(cut) ? cut.replace(SECRETS, '[redacted]') : cut;
}

/** A quick look before the replacement: most texts have nothing of the kind. */
const SHAPES = /eyJ|codec_|bearer |basic /i;
