/** A file that is there when it is whole, and not before: written beside its place, readable by its owner only. */
import { existsSync, rmSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A file cannot be written. The message is one sentence. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/** Bytes that are put together before they are written. */
const CHUNK = 256 * 1024;

/** A file in the making. */
export class OutputFile {
  readonly path: string;
  readonly #temporary: string;
  #file: FileHandle | undefined;
  #isMade = false;
  #waiting: Uint8Array[] = [];
  #length = 0;

  constructor(path: string) {
    this.path = path;
    this.#temporary = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  }

  /** @throws OutputError when something of that name is there, or its folder cannot be written */
  async open(): Promise<void> {
    if (existsSync(this.path)) throw alreadyThere(this.path);
    await this.#orOutputError(async () => {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      this.#file = await open(this.#temporary, 'wx', 0o600);
      this.#isMade = true;
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#length += bytes.length;
    if (this.#length >= CHUNK) await this.#flush();
  }

  /** Gives the file its name. @throws OutputError when something of that name is there by now */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#orOutputError(async () => {
      await this.#file?.sync();
      await this.#file?.close();
      this.#file = undefined;
      try {
        await link(this.#temporary, this.path);
        await unlink(this.#temporary);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EEXIST') throw alreadyThere(this.path);
        // Some file systems have no links.
        if (existsSync(this.path)) throw alreadyThere(this.path);
        await rename(this.#temporary, this.path);
      }
    });
  }

  /** Leaves nothing behind. At once, so that it can be called on the way out. */
  discard(): void {
    if (!this.#isMade) return;
    rmSync(this.#temporary, { force: true });
    const file = this.#file;
    this.#file = undefined;
    // Whatever its closing says, the file is gone.
    file?.close().catch(() => {});
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#length = 0;
    await this.#orOutputError(async () => {
      for (let at = 0; at < bytes.length; ) at += (await this.#file?.write(bytes, at))?.bytesWritten ?? bytes.length;
    });
  }

  async #orOutputError(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.discard();
      if (error instanceof OutputError) throw error;
      throw new OutputError(`${this.path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'error'}).`);
    }
  }
}

function alreadyThere(path: string): OutputError {
  return new OutputError(`${path} is there already, and nothing is overwritten.`);
}
