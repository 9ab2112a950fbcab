/** Where and when a result was made. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { runtimeVersions } from './rivals.ts';

export interface Provenance {
  /** ISO 8601. */
  readonly date: string;
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly os: string;
    readonly versions: Readonly<Record<string, string>>;
  };
}

export async function machine(): Promise<Provenance> {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      os: `${type()} ${release()}`,
      versions: await runtimeVersions(),
    },
  };
}

/** What was changed since the commit, but for the results, which the benchmark before has just written. */
const CHANGES = ['status', '--porcelain', '--untracked-files=no', '--', ':/', ':(exclude,top)bench/results'];

function commit(): string {
  try {
    const dirty = execFileSync('git', CHANGES, { encoding: 'utf8' });
    const head = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
    return dirty.trim() === '' ? head : `${head} with changes`;
  } catch {
    return 'unknown';
  }
}
