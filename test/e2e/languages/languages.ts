/** The languages of the table, and how to get the worker of each that is put to the test. */
import { join } from 'node:path';
import { projectRoot } from '../support/paths.ts';
import { goWorkerUnderTest } from '../support/tools.ts';
import { versionOfGoModule } from '../support/versions.ts';

/** A language whose library is put to the test. */
export interface Language {
  /** As it stands in the table, such as `Go`. */
  readonly name: string;
  /** Name of its result file. */
  readonly file: string;
  /** SDK and version, such as `Go SDK 1.50.0`. */
  readonly sdk: string;
  /** Whether its SDK has Nexus, and the program the workflow and service for it. */
  readonly nexus: boolean;
  /** The program, built, with its arguments: see README.md. */
  command(): Promise<readonly [program: string, ...args: string[]]>;
}

export const go: Language = {
  name: 'Go',
  file: 'go',
  sdk: `Go SDK ${versionOfGoModule(join(projectRoot, 'workers/go/go.mod'), 'go.temporal.io/sdk')}`,
  nexus: true,
  command: async () => [await goWorkerUnderTest()],
};
