/** Something to fuzz. */
export interface FuzzTarget {
  readonly name: string;
  /** Which source files are under test: parts of their paths. */
  readonly covers: readonly string[];
  /** Inputs to begin with, beside those of the corpus. */
  readonly seeds: readonly Buffer[];
  /** Pieces of the format. */
  readonly words: readonly string[];
  /** Bytes of the longest input. */
  readonly maxLength: number;
  /**
   * Gives the code an input. Throws, or rejects, for what must not happen; expected refusals are
   * caught in here.
   */
  run(input: Buffer): void | Promise<void>;
}

/** Fails a run. */
export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
