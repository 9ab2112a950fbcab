/**
 * What was found in closed workflows, which never change: kept in a file, a line each, so that a run that
 * was ended goes on where it was, and the next one reads only what is new. It names keys and workflows,
 * and holds no payload.
 *
 * A proof rests on it, so it is believed no further than it deserves: others must not be able to write
 * it, another version of this program (which may understand other payloads) does not use it, and a line
 * that is damaged, or of a workflow that now looks otherwise, is as good as none.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { PrivateFileError } from '../../codec/errors.ts';
import { makePrivateFile, readPrivateFile } from '../../codec/keys/secrets/private-file.ts';
import { packageVersion } from '../command.ts';
import type { Needs } from './key-usage.ts';

/** Of the lines; a file of another one is not used. */
const VERSION = 2;
const WHAT = 'state file';
/** Bytes; a million workflows take about 300 MB. */
const LARGEST = 400_000_000;

/** The file cannot be used. The message is one sentence. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** A closed workflow, as the server lists it. */
export interface ClosedRun {
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly closed: number;
  readonly events: number;
}

interface Line extends ClosedRun {
  readonly needs: Needs;
}

/** What is known of closed workflows. */
export class Checkpoint {
  readonly #path: string | undefined;
  readonly #of: string;
  readonly #known = new Map<string, Line>();
  #waiting: string[] = [];
  /** Workflows that were told of, and not read. */
  used = 0;

  /**
   * @param path of the file; undefined keeps nothing
   * @param namespace and server that it is of
   * @throws CheckpointError when it is of something else, can be written by others, or cannot be used
   */
  constructor(path: string | undefined, namespace: string, address: string) {
    this.#path = path;
    const server = createHash('sha256').update(`${address}\n${namespace}`).digest('hex');
    this.#of = JSON.stringify({ version: VERSION, program: packageVersion(), of: server });
    if (path === undefined) return;
    try {
      makePrivateFile(path, WHAT, `${this.#of}\n`);
      const [first = '', ...lines] = readPrivateFile(path, WHAT, LARGEST).split('\n');
      if (first !== this.#of) throw new CheckpointError(notOurs(path, first));
      for (const line of lines) this.#read(line);
    } catch (error) {
      throw error instanceof PrivateFileError ? new CheckpointError(error.message) : error;
    }
  }

  #read(text: string): void {
    // Not of this length: the last line of a run that was ended. That workflow is read again.
    const sum = text.slice(0, SUM_LENGTH);
    const json = text.slice(SUM_LENGTH + 1);
    if (json === '' || sum !== this.#sum(json)) return;
    const line = JSON.parse(json) as Line;
    this.#known.set(line.run, line);
  }

  /** Tells a damaged line, and one of another file, from ours. */
  #sum(json: string): string {
    return createHash('sha256').update(this.#of).update(json).digest('base64url').slice(0, SUM_LENGTH);
  }

  /** @returns undefined where nothing is known of the workflow as it is now */
  get({ run, closed, events }: ClosedRun): Needs | undefined {
    const known = this.#known.get(run);
    if (known === undefined || known.closed !== closed || known.events !== events) return undefined;
    this.used++;
    return known.needs;
  }

  /** @throws CheckpointError */
  put({ run, closed, events }: ClosedRun, needs: Needs): void {
    if (this.#path === undefined) return;
    const json = JSON.stringify({ run, closed, events, needs } satisfies Line);
    this.#waiting.push(`${this.#sum(json)} ${json}\n`);
    if (this.#waiting.length >= 100) this.flush();
  }

  /** Writes what waits. @throws CheckpointError */
  flush(): void {
    if (this.#path === undefined || this.#waiting.length === 0) return;
    // On a line of its own, also behind one that was cut off.
    const lines = `\n${this.#waiting.join('')}`;
    this.#waiting = [];
    try {
      // It is there: one that was deleted meanwhile would be made anew without its head.
      const file = openSync(this.#path, constants.O_WRONLY | constants.O_APPEND);
      try {
        writeFileSync(file, lines);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new CheckpointError(`The ${WHAT} ${this.#path} cannot be written (${code}).`);
    }
  }
}

const SUM_LENGTH = 22;

function notOurs(path: string, first: string): string {
  const isOurs = /^\{"version":\d+,.*"of":"[0-9a-f]{64}"\}$/.test(first);
  return isOurs
    ? `The ${WHAT} ${path} is of another namespace, server or version of this program: name another file, or delete it.`
    : `${path} is not a ${WHAT} of codec-server: name another file.`;
}
