/**
 * What was found in closed workflows, which never change: kept in a file, a line each, so that a run that
 * was ended goes on where it was, and the next one reads only what is new. It names keys and workflows,
 * and holds no payload.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Needs } from './key-usage.ts';

/** Of the lines; a file of another one is not used. */
const VERSION = 1;

/** The file cannot be used. The message is one sentence. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** What is known of closed workflows. */
export class Checkpoint {
  readonly #path: string | undefined;
  readonly #known = new Map<string, Needs>();
  #waiting: string[] = [];

  /**
   * @param path of the file; undefined keeps nothing
   * @param namespace and server that it is of
   * @throws CheckpointError when it is of something else, or cannot be read
   */
  constructor(path: string | undefined, namespace: string, address: string) {
    this.#path = path;
    if (path === undefined) return;
    const of = createHash('sha256').update(`${address}\n${namespace}`).digest('hex');
    try {
      if (!existsSync(path))
        writeFileSync(path, `${JSON.stringify({ version: VERSION, of })}\n`, { mode: 0o600, flag: 'wx' });
      const [first = '', ...lines] = readFileSync(path, 'utf8').split('\n');
      const head = JSON.parse(first) as { version?: unknown; of?: unknown };
      if (head.version !== VERSION || head.of !== of)
        throw new CheckpointError(`${path} is of another namespace, server or version: name another file.`);
      for (const line of lines) this.#read(line);
    } catch (error) {
      if (error instanceof CheckpointError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new CheckpointError(
        code === undefined ? `${path} is not a file of ours.` : `${path} cannot be used (${code}).`,
      );
    }
  }

  #read(line: string): void {
    try {
      const { run, needs } = JSON.parse(line) as { run: string; needs: Needs };
      if (typeof run === 'string' && typeof needs?.payloads === 'number') this.#known.set(run, needs);
    } catch {
      // The last line of a run that was ended: that workflow is read again.
    }
  }

  get(run: string): Needs | undefined {
    return this.#known.get(run);
  }

  put(run: string, needs: Needs): void {
    if (this.#path === undefined) return;
    this.#waiting.push(`${JSON.stringify({ run, needs })}\n`);
    if (this.#waiting.length >= 100) this.flush();
  }

  /** Writes what waits. */
  flush(): void {
    if (this.#path === undefined || this.#waiting.length === 0) return;
    // On a line of its own, also behind one that was cut off.
    appendFileSync(this.#path, `\n${this.#waiting.join('')}`, { mode: 0o600 });
    this.#waiting = [];
  }
}
