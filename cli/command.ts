/**
 * What a command of `codec-server` is: arguments in, an exit code out, and the outside world only
 * through {@link CommandIo}, so that a test can stand in for the terminal.
 */

/** Somewhere to print to. */
export interface TextOutput {
  /** False when it takes no more for now, as of Node's streams. */
  write(text: string | Uint8Array): unknown;
  /** Told when it takes more again. */
  once?(event: 'drain', listener: () => void): unknown;
  /** Whether a person watches. */
  readonly isTTY?: boolean | undefined;
}

/** The world of a command. */
export interface CommandIo {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Bytes or text piped in. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly cwd: string;
}

/**
 * A command. Never rejects for what a user can do wrong: it says so in one sentence on `stderr`.
 *
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage
 */
export type Command = (argv: readonly string[], io: CommandIo) => Promise<number>;
