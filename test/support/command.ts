/** Runs a command of `codec-server` in this process. */
import type { Command } from '../../cli/command.ts';
import { TestCommandIo } from './command-io.ts';

export async function runCommand(
  command: Command,
  argv: readonly string[],
  world: { readonly cwd: string; readonly stdin?: string },
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const io = new TestCommandIo(world);
  const code = await command(argv, io);
  return { code, stdout: io.out, stderr: io.err };
}
