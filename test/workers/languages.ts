/** The libraries of `workers/` and how each is tested. */

/** One program to run. */
export interface Step {
  /** Folder of the repository in which it runs. */
  readonly cwd: string;
  readonly command: readonly [program: string, ...args: string[]];
}

/** A language and its steps, in order. */
export interface WorkerLanguage {
  /** As the command line names it. */
  readonly name: string;
  readonly steps: readonly Step[];
}

export const LANGUAGES: readonly WorkerLanguage[] = [
  {
    name: 'go',
    steps: [
      { cwd: 'workers/go', command: ['go', 'vet', './...'] },
      { cwd: 'workers/go', command: ['go', 'test', './...'] },
      // Against the official AWS Encryption SDK for Go, in a module of its own: it is large.
      { cwd: 'test/aws/peers/go', command: ['go', 'test', './...'] },
    ],
  },
  {
    name: 'python',
    steps: [{ cwd: '.', command: ['node', 'test/workers/python.ts'] }],
  },
  {
    name: 'java',
    steps: [{ cwd: 'workers/java', command: ['mvn', '-B', '-ntp', '-Dmaven.repo.local=../../.cache/maven', 'test'] }],
  },
];
