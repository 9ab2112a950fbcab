/**
 * Strict reading of the small JSON documents that hold keys. Whatever is wrong is named with its
 * place, and nothing of the document's content goes into an error: `JSON.parse` alone would print a
 * piece of a key into a log.
 */
import { KEY_LENGTH } from '../aws-encryption-sdk/algorithm-suites.ts';
import { KeyDocumentError } from '../errors.ts';
import { asBuffer, fromBase64 } from '../payload.ts';

/** Names stand in message headers and log lines: anything printable up to here. */
const LONGEST_NAME = 256;
const CONTROL_CHARACTER = /\p{Cc}/u;

/** @throws KeyDocumentError that names line and column, without the text there */
export function parseKeyDocument(text: string): unknown {
  if (text.startsWith('\uFEFF'))
    throw new KeyDocumentError('it begins with a byte order mark: save it as UTF-8 without one');
  try {
    return JSON.parse(text);
  } catch (error) {
    const where = /line \d+ column \d+/.exec(String(error))?.[0];
    throw new KeyDocumentError(where === undefined ? 'it is not valid JSON' : `it is not valid JSON at ${where}`);
  }
}

/** An object with exactly these fields. */
export function fieldsOf<Name extends string>(
  value: unknown,
  place: string,
  names: readonly Name[],
): Record<Name, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KeyDocumentError(`${place} must be an object with ${names.join(', ')}`);
  for (const name of Object.keys(value))
    if (!(names as readonly string[]).includes(name))
      throw new KeyDocumentError(
        `${place} has the unknown field ${JSON.stringify(name.slice(0, 40))}: its fields are ${names.join(', ')}`,
      );
  for (const name of names)
    if (!Object.hasOwn(value, name)) throw new KeyDocumentError(`${place} has no ${JSON.stringify(name)}`);
  return value as Record<Name, unknown>;
}

/** An array of at least one element. */
export function atLeastOneOf(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new KeyDocumentError(`${place} must be an array with at least one element`);
  return value;
}

/** A name of 1 to 256 characters, none of them a control character. */
export function nameOf(value: unknown, place: string): string {
  if (typeof value !== 'string' || value === '')
    throw new KeyDocumentError(`${place} must be a text that is not empty`);
  if (value.length > LONGEST_NAME) throw new KeyDocumentError(`${place} is longer than ${LONGEST_NAME} characters`);
  if (CONTROL_CHARACTER.test(value) || !value.isWellFormed())
    throw new KeyDocumentError(`${place} contains a character that cannot be printed`);
  return value;
}

/** A 256-bit key in standard, padded base64. */
export function keyBytesOf(value: unknown, place: string): Uint8Array {
  if (typeof value !== 'string') throw new KeyDocumentError(`${place} must be text: the base64 of ${KEY_LENGTH} bytes`);
  const { length } = Buffer.from(value, 'base64');
  if (length !== KEY_LENGTH)
    throw new KeyDocumentError(`${place} must be the base64 of ${KEY_LENGTH} bytes and holds ${length}`);
  const key = fromBase64(value);
  if (key !== undefined) return key;
  const isPadded = value.length % 4 === 0;
  throw new KeyDocumentError(
    `${place} ${isPadded ? 'is not valid base64 of the standard alphabet' : 'must be standard base64 with its padding'}`,
  );
}

/** A key as it is written in a document. */
export function keyText(key: Uint8Array): string {
  return asBuffer(key).toString('base64');
}
