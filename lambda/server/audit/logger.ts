/**
 * The application log: JSON, one line an event. Redacted by construction: a line holds a fixed
 * sentence, named scalars, and of an error only what its author wrote for a log. The message of an
 * error that is not ours may repeat anything, a payload included, so it is never written.
 */
import { CodecError } from '../../../codec/errors.ts';
import { printableJson } from '../../../config/printable.ts';
import { UnauthenticatedError } from '../auth/caller.ts';
import { HttpsGetError } from '../auth/https-get.ts';

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

/** From the most to the least talkative. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** Values of a line. Never a payload, a header, a token or a key. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line, without its end. */
export type WriteLine = (line: string) => void;

export interface Logger {
  /** @param message a fixed sentence; what varies goes into `fields` */
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  /** @param error what went wrong: see {@link describeError} for how much of it is written */
  warn(message: string, fields?: LogFields, error?: unknown): void;
  error(message: string, fields?: LogFields, error?: unknown): void;
}

const RANK: Readonly<Record<LogLevel, number>> = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 };

/** A logger that keeps lines of `level` and above. */
export function createLogger(write: WriteLine, level: LogLevel): Logger {
  const log = (at: LogLevel, message: string, fields: LogFields = {}, error?: unknown): void => {
    if (RANK[at] < RANK[level]) return;
    const line: Record<string, unknown> = { type: 'log', time: new Date().toISOString(), level: at, message };
    for (const [name, value] of Object.entries(fields)) {
      line[name] = typeof value === 'string' ? loggable(value) : value;
    }
    if (error !== undefined) line['error'] = describeError(error);
    write(printableJson(line, 0));
  };
  return {
    debug: (message, fields) => log('DEBUG', message, fields),
    info: (message, fields) => log('INFO', message, fields),
    warn: (message, fields, error) => log('WARN', message, fields, error),
    error: (message, fields, error) => log('ERROR', message, fields, error),
  };
}

/** What is written of an error. */
export interface ErrorDescription {
  readonly name: string;
  /** Only of errors whose messages are written here, and hold nothing of a request or of a remote answer. */
  readonly message?: string;
  /** A code of Node.js, such as `ECONNREFUSED`, or the reason of one of our own errors, such as `throttled`. */
  readonly code?: string;
  /** Places in the code, without the message above them. Only of errors that should never happen. */
  readonly stack?: readonly string[];
  readonly cause?: ErrorDescription;
}

const MAX_FRAMES = 8;
const MAX_CAUSES = 3;
/** What a class of errors is called. */
const NAME = /^[A-Z][A-Za-z]{1,63}$/;
/** What a code of Node.js or of the operating system looks like. */
const CODE = /^(?:ERR_[A-Z0-9_]{1,60}|E[A-Z0-9]{2,20})$/;

/** Describes an error for a log line, without anything it may have picked up on its way. */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, cause } = error;
  const isOurs = isOurError(error);
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  // Anybody can put anything into a field; a reason is believed of our own errors alone.
  const word = isOurs ? reason : code;
  return {
    name: NAME.test(name) ? name : 'Error',
    ...(isOurs ? { message: loggable(message) } : { stack: framesOf(error) }),
    ...(typeof word === 'string' && (isOurs || CODE.test(word)) ? { code: word } : {}),
    ...(cause !== undefined && depth < MAX_CAUSES ? { cause: describeError(cause, depth + 1) } : {}),
  };
}

function isOurError(error: Error): boolean {
  return error instanceof CodecError || error instanceof UnauthenticatedError || error instanceof HttpsGetError;
}

/** The `at …` lines alone: the lines above them are the message. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = stack.lastIndexOf(message) + message.length;
  const frames = stack.slice(start).match(/^ {4}at .+$/gm) ?? [];
  return frames.slice(0, MAX_FRAMES).map((frame) => loggable(frame.trim()));
}

// Lines that are written together. A write is a call to the system, which takes as long as deciding
// and decoding a small request; the lines of a request, or of all requests of one turn of the event
// loop, need one.

/** Characters kept at most: more than a turn's lines ever are, but for a flood. */
const MOST_KEPT = 64 * 1024;

export class LineBuffer {
  readonly #write: (text: string) => void;
  #text = '';
  #scheduled = false;

  /** @param write takes whole lines, each with its end */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Keeps a line until {@link flush}. */
  readonly keep: WriteLine = (line) => {
    this.#text += `${line}\n`;
    if (this.#text.length > MOST_KEPT) this.flush();
  };

  /** Keeps a line until the event loop has turned once. For a process that ends, `flush` when it does. */
  readonly keepForThisTurn: WriteLine = (line) => {
    this.keep(line);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  };

  /** Writes what is kept; should that fail, it is still kept. */
  flush(): void {
    if (this.#text === '') return;
    this.#write(this.#text);
    this.#text = '';
  }
}
