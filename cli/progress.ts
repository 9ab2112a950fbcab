/** A line on a terminal that tells a person who waits how far it is. Where there is no terminal, nothing is written. */
import { escaped } from '../config/printable.ts';
import type { CommandIo } from './command.ts';

/** Back to the start of the line, and the rest of it erased. */
const NEW_LINE = '\r\u001b[K';
/** Milliseconds between two writes of the line. */
const EVERY_MS = 200;

export class Progress {
  readonly #io: CommandIo;
  #next: number;
  #shown = false;

  /** @param quietMs for what is over in no time: milliseconds in which nothing is shown */
  constructor(io: CommandIo, quietMs = 0) {
    this.#io = io;
    this.#next = Date.now() + quietMs;
  }

  /** @param textOf makes the line, whose text may come from others; called only when it is shown */
  at(textOf: () => string): void {
    if (this.#io.stderr.isTTY !== true || Date.now() < this.#next) return;
    this.#next = Date.now() + EVERY_MS;
    this.#shown = true;
    this.#io.stderr.write(NEW_LINE + escaped(textOf()));
  }

  clear(): void {
    if (this.#shown) this.#io.stderr.write(NEW_LINE);
  }
}
