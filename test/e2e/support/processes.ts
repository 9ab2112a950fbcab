/** Starting programs, and never leaving one behind. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { PATIENCE_MS } from '../../support/patience.ts';

/** How each program that runs is sent a signal. */
const running = new Set<(signal: NodeJS.Signals) => void>();
process.on('exit', () => {
  for (const kill of running) kill('SIGKILL');
});

/** Milliseconds that a program gets to end by itself. */
const STOP_MS = 60_000;

/** How to start a program. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is closed behind it. */
  readonly input?: string;
  /** Milliseconds after which it is killed. Default five minutes. */
  readonly timeout?: number;
}

/** What a program printed and how it ended. */
export interface Outcome {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly took: number;
}

/** Runs a program to its end, whatever its exit code. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, input, timeout = 300_000 }: ProgramOptions = {},
): Promise<Outcome> {
  const begin = performance.now();
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env } });
  const printed = collect(child);
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...printed, took: performance.now() - begin };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program to its end and returns what it printed; one that fails is an error with its last words. */
export async function runOrThrow(command: string, args: readonly string[], options?: ProgramOptions): Promise<string> {
  return outputOf(await run(command, args, options), [command, ...args].join(' '));
}

/** What a program printed that ended well. @throws Error with its last words if it did not */
export function outputOf({ code, stdout, stderr }: Outcome, what: string): string {
  if (code === 0) return stdout;
  throw new Error(`${what} ended with ${code}:\n${lastLines(stdout + stderr)}`);
}

/** A program that goes on running. */
export interface Running {
  readonly pid: number;
  /** Everything printed so far. What a program prints about an answer can come later than the answer: see {@link prints}. */
  output(): string;
  /** Waits until the program has printed a line like it. @returns the first match */
  prints(pattern: RegExp): Promise<string>;
  /** Ends it as Ctrl-C or a service manager would, and waits; kills it when it does not end within a minute. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<number | null>;
}

/** A program that {@link start} began, to be waited for. */
export interface Starting extends Omit<ProgramOptions, 'timeout'> {
  /** The text whose appearance in its output means that it is ready. */
  readonly ready: string | RegExp;
  /** Leave its standard input open after writing {@link input}, for programs that end with it. */
  readonly keepInput?: boolean;
  /** A file for everything that it prints, too; an older one is overwritten. */
  readonly log?: string;
  /** Give it a process group of its own, as a shell does with what is typed. It is stopped as a whole. */
  readonly group?: boolean;
}

/** Starts a program and waits until it says that it is ready. */
export async function start(
  command: string,
  args: readonly string[],
  { cwd, env, input, ready, keepInput = false, log, group = false }: Starting,
): Promise<Running> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: group });
  const kill = (signal: NodeJS.Signals) => {
    if (!group || child.pid === undefined) child.kill(signal);
    else
      try {
        process.kill(-child.pid, signal);
      } catch {
        // Nobody of the group is left.
      }
  };
  running.add(kill);
  const printed = collect(child);
  if (log !== undefined) {
    writeFileSync(log, '');
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: string) => appendFileSync(log, text));
  }
  const ended = once(child, 'close').then(([code]) => {
    running.delete(kill);
    return code as number | null;
  });
  child.stdin.on('error', () => {});
  if (input !== undefined) child.stdin.write(input);
  if (!keepInput) child.stdin.end();

  const output = () => printed.stdout + printed.stderr;
  /** Looks at what is there, and anew each time that more comes. */
  const seen = async (find: () => string | undefined, late: string): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = () => {
      const found = find();
      if (found !== undefined) resolve(found);
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
    const timer = setTimeout(() => reject(new Error(`after ${PATIENCE_MS / 1000} seconds: ${late}`)), PATIENCE_MS);
    ended.then((code) => reject(new Error(`it ended with ${code}`))).catch(reject);
    look();
    try {
      return await promise;
    } catch (error) {
      throw new Error(`${command} ${args.join(' ')}: ${(error as Error).message}\n${lastLines(output())}`);
    } finally {
      clearTimeout(timer);
      for (const stream of [child.stdout, child.stderr]) stream.off('data', look);
    }
  };
  const matching = (pattern: RegExp) => () => pattern.exec(output())?.[0];
  const isReady = typeof ready === 'string' ? () => (output().includes(ready) ? ready : undefined) : matching(ready);
  try {
    await seen(isReady, 'it is not ready');
  } catch (error) {
    kill('SIGKILL');
    throw error;
  }

  return {
    pid: child.pid as number,
    output,
    prints: (pattern) => seen(matching(pattern), `it printed nothing like ${pattern}`),
    async stop(signal = 'SIGTERM') {
      child.stdin.end();
      kill(signal);
      const killer = setTimeout(() => kill('SIGKILL'), STOP_MS);
      const code = await ended;
      clearTimeout(killer);
      return code;
    },
  };
}

function collect(child: ChildProcessWithoutNullStreams): { stdout: string; stderr: string } {
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8');
    child[stream].on('data', (text: string) => {
      printed[stream] += text;
    });
  }
  return printed;
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-30).join('\n');
}
