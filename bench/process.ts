/**
 * Server processes under measurement: started, asked for their port, and accounted for by the
 * operating system rather than by themselves.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** How to start a server that prints a line with {@link LISTENING} once it accepts connections. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Environment variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** `listening PORT`, or what `codec-server start` says. */
const LISTENING = /^(?:listening |Codec server at https?:\/\/[^ ]*:)(\d+)/;

/** A running server. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
/** `/proc/PID/stat` counts in ticks of 1/100 s on every Linux that Node runs on (USER_HZ). */
const MS_PER_TICK = 10;

/** @throws Error when the process ends, or is silent for 30 s, before it listens */
export async function startServer(command: Command): Promise<ServerProcess> {
  const { file, args, cwd, env } = command;
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it did not listen within 30 s')), START_TIMEOUT_MS);
    const lines = createInterface({ input: child.stdout }).on('line', (line) => {
      const match = LISTENING.exec(line);
      if (match === null) return;
      clearTimeout(timer);
      // What else it prints, such as audit lines, is taken from it and not looked at.
      lines.close();
      child.stdout.resume();
      resolve(Number(match[1]));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${errors.trim()}`)));
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('it has no process id');
  return { pid, port, stop: () => stopped(child) };
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** User and system time of a process with all its threads, in milliseconds, to 10 ms (1 s off Linux). */
export function cpuMsOf(pid: number): number {
  if (process.platform !== 'linux') return cpuMsByPs(pid);
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the command in brackets and may hold spaces: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function cpuMsByPs(pid: number): number {
  const time = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'latin1' }).trim();
  const [seconds = 0, minutes = 0, hours = 0] = time.split(/[:-]/).map(Number).reverse();
  return (hours * 3600 + minutes * 60 + seconds) * 1000;
}

/**
 * Milliseconds in which the main thread of a process was ready to run and others had the processor (Linux only, else 0):
 * what a busy machine adds to how long something takes.
 */
export function waitedMsOf(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
  return Number(waitedNs) / 1e6;
}

/** Memory of a process in MiB: resident now, and the most it ever was (Linux only, else the same). */
export function memoryOf(pid: number): { readonly rss: number; readonly peak: number } {
  if (process.platform !== 'linux') {
    const rss = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'latin1' })) / 1024;
    return { rss, peak: rss };
  }
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { rss: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}
