/** A terminal for tests of commands: what was printed, and nothing of the real one. */
import type { CommandIo } from '../../cli/command.ts';

export class TestCommandIo implements CommandIo {
  out = '';
  err = '';
  readonly stdout = { write: (text: string) => (this.out += text) };
  readonly stderr = { write: (text: string) => (this.err += text) };
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;

  constructor(options: { cwd?: string; env?: Readonly<Record<string, string>>; stdin?: string } = {}) {
    this.cwd = options.cwd ?? '/';
    this.env = options.env ?? {};
    const { stdin } = options;
    this.stdin = (async function* () {
      if (stdin !== undefined) yield stdin;
    })();
  }
}
