/** The options of the repository's own programs, those that npm scripts run. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * Reads the options of this process, and ends it where there is nothing to run: `--help` prints the usage with exit
 * code 0, and an option that nobody knows is one line on standard error with exit code 2.
 *
 * @param usage what `--help` prints; its first line names the command
 */
export function runnerOptions<const T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  const options = { ...config.options, help: { type: 'boolean', short: 'h' } as const };
  try {
    const parsed = parseArgs({ ...config, options });
    if (!('help' in parsed.values)) return parsed as ReturnType<typeof parseArgs<T>>;
    process.stdout.write(`${usage.trim()}\n`);
    process.exit(0);
  } catch (error) {
    // What follows the first sentence is advice about arguments that start with a hyphen.
    const [problem] = (error as Error).message.split(/\.?(?: To |$)/);
    process.stderr.write(`${problem}. See --help.\n`);
    process.exit(2);
  }
}
