/**
 * The log of a server on somebody's own machine: sentences for the person at the terminal, where the
 * function writes JSON. Of an error it says what its author wrote for a log, down to its cause; where
 * in the code it happened only of what should never happen.
 */

import { printable } from '../config/printable.ts';
import type { TurnedAway } from '../lambda/node/request-handler.ts';
import type { AuditEntry, AuditSink } from '../lambda/server/audit/audit.ts';
import {
  describeError,
  type ErrorDescription,
  type LogFields,
  type Logger,
  loggable,
  type WriteLine,
} from '../lambda/server/audit/logger.ts';
import type { RejectionReason } from '../lambda/server/auth/caller.ts';

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

// What a server on somebody's own machine says of requests that it refuses, and of payloads that stay
// closed: a line each, for the person who wonders why the Web UI shows nothing. The caller is told
// one thing for all; here stands the cause.

/** Told of what was not done. */
export interface Refusals extends AuditSink {
  turnedAway(request: TurnedAway): void;
}

/** Lines in {@link WINDOW_MS}; what is more is counted. */
const MOST_LINES = 20;
const WINDOW_MS = 10_000;
/** Characters of a name that a stranger chose. */
const LONGEST_NAME = 120;
/** Outcomes of a payload that are as they should be. */
const DONE: ReadonlySet<string> = new Set(['decoded', 'retrieved', 'encoded', 'stored', 'unchanged']);

/** What a reason for a 401 means and where to look. The caller is told less, since nobody knows who it is. */
const REJECTED: Readonly<Record<RejectionReason, string>> = {
  missing: 'no token: switch "Pass access token" on in the Web UI, or give --codec-auth to the CLI',
  'duplicate-header': 'a header with an identity came twice',
  'too-large': 'the token is longer than any issuer makes them',
  malformed: 'what came is neither a token of an issuer nor a service token: is it cut off?',
  algorithm: 'it is signed with an algorithm that is not in "algorithms" of its issuer',
  'critical-header': 'it asks for an extension that this server does not know',
  type: 'it is a token of another type, not one that proves who somebody is',
  'no-key-id': 'it does not say which key signed it',
  'unknown-issuer': 'no issuer in the configuration has its "iss"; compare them exactly, slash at the end included',
  audience: 'it is for another audience: compare its "aud" with "audience" in the configuration',
  'unknown-key': 'the issuer does not publish the key that signed it: look at "jwksUri", and get a new token',
  signature:
    'its signature does not fit the key that the issuer publishes: the token was altered, or its issuer has changed keys',
  expired: 'it has expired: reload the page or get a new one; if it is new, compare the clocks',
  'not-yet-valid': 'it is not valid yet: compare the clocks of the issuer and of this machine',
  'issued-in-the-future': 'it was issued in the future: compare the clocks of the issuer and of this machine',
  'no-expiry': 'it never expires, which is not accepted: let the issuer set "exp"',
  'implausible-expiry': 'its "exp" is more than ten years away: is it in milliseconds?',
  'no-subject': 'it names nobody: let the issuer set "sub"',
  'unknown-service-token': 'no entry has it: it was mistyped or removed, or the list is of another server',
  'service-token-expired': 'it has expired: make a new one with codec-server token',
  session: 'the sign-in session has ended or is not of this server: sign in again',
  'sign-in-state': 'somebody came back from the provider without having started here: sign in from the start',
  'sign-in-refused': 'the provider did not let this person in',
};

/** @param now milliseconds; default `performance.now` */
export function createRefusals(write: WriteLine, now: () => number = () => performance.now()): Refusals {
  const lines = new BoundedLines(write, now);
  return {
    record(entry) {
      const line = refusalLine(entry);
      if (line !== undefined) lines.write(line);
    },
    turnedAway({ status, text, origin, requestId }) {
      const from = origin === undefined ? [] : [`from ${name(origin)}`];
      lines.write(
        sentence(`a request got a ${status}: ${text}${hintFor(origin, status)}`, [...from, `request ${requestId}`]),
      );
    },
  };
}

/** What there is to say of a request; undefined when all of it was done. */
function refusalLine(entry: AuditEntry): string | undefined {
  const closed = Object.entries(entry.payloads).filter(([outcome]) => !DONE.has(outcome));
  if (entry.status < 400 && closed.length === 0) return undefined;
  const { operation, status, caller, cause, namedNamespace, origin, unauthenticated, fault, requestId } = entry;
  const what = closed.map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
  const rejection = unauthenticated === undefined ? '' : `${unauthenticated}: ${REJECTED[unauthenticated]}`;
  const why = [what, rejection, fault ?? '', cause ?? ''].filter((word) => word !== '').join(': ');
  const denied = [...entry.namespaces].filter(([, decision]) => decision === 'denied').map(([namespace]) => namespace);
  const namespaces = denied.length > 0 ? denied.slice(0, 3) : namedNamespace === undefined ? [] : [namedNamespace];
  const who =
    caller === undefined || caller.method === 'loopback' ? [] : [`caller ${name(caller.email ?? caller.subject)}`];
  return sentence(`${operation} got a ${status}${why === '' ? '' : ` (${why})`}`, [
    ...who,
    ...(namespaces.length === 0 ? [] : [`namespace ${namespaces.map(name).join(', ')}`]),
    ...(origin === undefined ? [] : [`from ${name(origin)}`]),
    `request ${requestId}`,
  ]);
}

/** An origin that is refused is most often one that was forgotten. */
function hintFor(origin: string | undefined, status: number): string {
  return origin === undefined || status !== 403 ? '' : `, or start with --origin ${name(origin)}`;
}

function sentence(what: string, facts: readonly string[]): string {
  return printable(`codec-server: ${loggable(what)}; ${facts.join(', ')}`);
}

function name(text: string): string {
  const cut = text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text;
  return JSON.stringify(loggable(cut)).replace(/^"([\w.:/@+-]+)"$/, '$1');
}

/** Lines up to a number in a time, and then how many more there were: whoever asks decides how often. */
class BoundedLines {
  readonly #write: WriteLine;
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #written = 0;
  #left = 0;

  constructor(write: WriteLine, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  write(line: string): void {
    const now = this.#now();
    if (now - this.#since >= WINDOW_MS) {
      if (this.#left > 0) this.#write(`codec-server: and ${this.#left} more of the kind`);
      this.#since = now;
      this.#written = 0;
      this.#left = 0;
    }
    if (this.#written < MOST_LINES) {
      this.#written++;
      this.#write(line);
    } else this.#left++;
  }
}
