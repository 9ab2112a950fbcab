/** The libraries of `workers/` and how each is tested. */
import { goEnvironment, mavenOptions } from '../support/caches.ts';

/** One program to run. */
export interface Step {
  /** Folder of the repository in which it runs. */
  readonly cwd: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it fetches what the steps behind it need: it is run again when it fails. */
  readonly fetches?: true;
}

/** A language and its steps, in order. */
export interface WorkerLanguage {
  /** As the command line names it. */
  readonly name: string;
  readonly steps: readonly Step[];
}

const go = (cwd: string, ...args: string[]): Step => ({ cwd, command: ['go', ...args], env: goEnvironment });
const mvn = (...args: string[]): Step => ({
  cwd: 'workers/java',
  command: ['mvn', '-B', '-ntp', ...mavenOptions, ...args],
});

export const LANGUAGES: readonly WorkerLanguage[] = [
  {
    name: 'go',
    steps: [
      { ...go('workers/go', 'vet', './...'), fetches: true },
      go('workers/go', 'test', './...'),
      // Against the official AWS Encryption SDK for Go, in a module of its own: it is large.
      { ...go('test/aws/peers/go', 'vet', './...'), fetches: true },
      go('test/aws/peers/go', 'test', './...'),
    ],
  },
  {
    name: 'python',
    steps: [{ cwd: '.', command: ['node', 'test/workers/python.ts'] }],
  },
  {
    name: 'java',
    steps: [{ ...mvn('test-compile'), fetches: true }, mvn('test')],
  },
  {
    name: 'dotnet',
    steps: [
      { cwd: '.', command: ['node', 'test/workers/dotnet.ts', '--only-prepare'], fetches: true },
      { cwd: '.', command: ['node', 'test/workers/dotnet.ts'] },
    ],
  },
];
