/**
 * The log of a server on somebody's own machine: sentences for the person at the terminal, where the
 * function writes JSON. Of an error it says what its author wrote for a log, down to its cause; where
 * in the code it happened only of what should never happen.
 */

import { printable } from '../config/printable.ts';
import {
  describeError,
  type ErrorDescription,
  type LogFields,
  type Logger,
  loggable,
  type WriteLine,
} from '../lambda/server/audit/logger.ts';

/** A logger for a terminal; what only helps to find a bug is left out. */
export function createTerminalLogger(write: WriteLine): Logger {
  const log = (message: string, fields: LogFields = {}, error?: unknown, isBug = false): void => {
    const described = error === undefined ? undefined : describeError(error);
    const words = [message, ...(described === undefined ? [] : wordsOf(described))];
    const known = Object.entries(fields).filter(([, value]) => value !== undefined);
    const facts = known.map(([name, value]) => `${name}: ${loggable(String(value))}`).join(', ');
    write(printable(`codec-server: ${words.join(': ')}${facts === '' ? '' : ` (${facts})`}`));
    if (isBug) for (const frame of described?.stack ?? []) write(printable(`    ${frame}`));
  };
  return {
    debug: () => {},
    info: (message, fields) => log(message, fields),
    warn: (message, fields, error) => log(message, fields, error),
    error: (message, fields, error) => log(message, fields, error, true),
  };
}

/** The messages down to the first cause, or its code where it has none, each once. */
function wordsOf({ message, code, name, cause }: ErrorDescription): string[] {
  const deeper = cause === undefined ? [] : wordsOf(cause);
  const own = message ?? (deeper.length > 0 ? undefined : (code ?? name));
  return own === undefined || deeper.includes(own) ? deeper : [own, ...deeper];
}
