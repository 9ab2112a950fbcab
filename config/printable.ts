/** Text of others where a person reads it: on a terminal, or in JSON that ends up on one or in the log of a console. */

/** Controls of both sets (C0, C1), and what turns, hides or joins the text around it: bidi, zero width, tags. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;
/** The same but for what `JSON.stringify` puts between its own tokens. */
const UNPRINTABLE_IN_JSON = /(?![\n])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** A text without anything that moves a cursor or turns the order of letters. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ');
}

/** A text in which everything of the kind is spelled out, as `\u{1b}`: for names, which nobody should take for others. */
export function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * A value as JSON in which nothing of the kind stands unescaped; it parses to the same value.
 *
 * @param indent spaces for each level; 0 for one line
 */
export function printableJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, undefined, indent).replace(UNPRINTABLE_IN_JSON, (character) =>
    [...character]
      .flatMap((it) => (it.length === 1 ? [it.charCodeAt(0)] : [it.charCodeAt(0), it.charCodeAt(1)]))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
