/** Starting programs, and never leaving one behind. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const running = new Set<ChildProcessWithoutNullStreams>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** How to start a program. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is closed behind it. */
  readonly input?: string;
  /** Milliseconds after which it is killed. Default two minutes. */
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
  { cwd, env, input, timeout = 120_000 }: ProgramOptions = {},
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
  const { code, stdout, stderr } = await run(command, args, options);
  if (code === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${lastLines(stdout + stderr)}`);
}

/** A program that goes on running. */
export interface Running {
  readonly pid: number;
  /** Everything printed so far. What a program prints about an answer can come later than the answer: see {@link prints}. */
  output(): string;
  /** Waits, up to ten seconds, until the program has printed a line like it. @returns the first match */
  prints(pattern: RegExp): Promise<string>;
  /** Ends it as Ctrl-C or a service manager would, and waits; kills it when it does not end within ten seconds. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<number | null>;
}

/** A program that {@link start} began, to be waited for. */
export interface Starting extends Omit<ProgramOptions, 'timeout'> {
  /** The text whose appearance in its output means that it is ready. */
  readonly ready: string | RegExp;
  /** Leave its standard input open after writing {@link input}, for programs that end with it. */
  readonly keepInput?: boolean;
  /** Milliseconds until it must be ready. Default one minute. */
  readonly patience?: number;
  /** A file for everything that it prints, too; an older one is overwritten. */
  readonly log?: string;
  /** Give it a process group of its own, as a shell does with what is typed. It is stopped as a whole. */
  readonly group?: boolean;
}

/** Starts a program and waits until it says that it is ready. */
export async function start(
  command: string,
  args: readonly string[],
  { cwd, env, input, ready, keepInput = false, patience = 60_000, log, group = false }: Starting,
): Promise<Running> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: group });
  running.add(child);
  const printed = collect(child);
  if (log !== undefined) {
    writeFileSync(log, '');
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: string) => appendFileSync(log, text));
  }
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  child.stdin.on('error', () => {});
  if (input !== undefined) child.stdin.write(input);
  if (!keepInput) child.stdin.end();

  const output = () => printed.stdout + printed.stderr;
  /** Looks at what is there, and anew each time that more comes. */
  const seen = async (find: () => string | undefined, milliseconds: number, late: string): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = () => {
      const found = find();
      if (found !== undefined) resolve(found);
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
    const timer = setTimeout(() => reject(new Error(late)), milliseconds);
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
    await seen(isReady, patience, `it is not ready after ${patience} ms`);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }

  return {
    pid: child.pid as number,
    output,
    prints: (pattern) => seen(matching(pattern), 10_000, `it printed nothing like ${pattern} in ten seconds`),
    async stop(signal = 'SIGTERM') {
      child.stdin.end();
      if (group) process.kill(-(child.pid as number), signal);
      else child.kill(signal);
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      const code = await ended;
      clearTimeout(killer);
      return code;
    },
  };
}

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
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
