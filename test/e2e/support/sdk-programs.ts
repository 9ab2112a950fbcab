/** Programs that somebody wrote with one of Temporal's SDKs, run to their end. */
import { type Outcome, outputOf, type ProgramOptions, run } from './processes.ts';

/**
 * How a Python process dies now and then at its very end, after all it had to do, by a thread of Temporal's SDK
 * (https://github.com/temporalio/sdk-python/issues/300). Whoever runs it would start it again.
 */
const DIED_AT_ITS_END = /PyGILState_Release.*\nPython runtime state: finalizing/;

/** How often a program that has died so is run at most. */
const MOST_RUNS = 5;

/** Whether a program of the Python SDK has died when all was done, by the SDK's own fault. */
export const diedAtItsEnd = (printed: string): boolean => DIED_AT_ITS_END.test(printed);

/** Runs a program to its end, and again when {@link diedAtItsEnd}: what it had to print may be lost by then. */
export async function runSdkProgram(
  command: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<Outcome> {
  let outcome = await run(command, args, options);
  for (let runs = 1; runs < MOST_RUNS && outcome.code !== 0 && diedAtItsEnd(outcome.stderr); runs++)
    outcome = await run(command, args, options);
  return outcome;
}

/** The same, and returns what it printed; one that fails is an error with its last words. */
export async function runSdkProgramOrThrow(
  command: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<string> {
  return outputOf(await runSdkProgram(command, args, options), [command, ...args].join(' '));
}
