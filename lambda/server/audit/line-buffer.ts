/**
 * Lines that are written together. A write is a call to the system, which takes as long as deciding
 * and decoding a small request; the lines of a request, or of all requests of one turn of the event
 * loop, need one.
 */
import type { WriteLine } from './logger.ts';

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
