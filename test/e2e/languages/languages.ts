/** The languages of the table, and how to get the worker of each that is put to the test. */
import { join } from 'node:path';
import { goEnvironment, mavenOptions, pipEnvironment } from '../../support/caches.ts';
import { projectRoot, suiteRoot } from '../support/paths.ts';
import { goWorkerUnderTest, javaPeer, pythonPeer } from '../support/tools.ts';
import { versionInRequirements, versionOfGoModule, versionOfMavenArtifact } from '../support/versions.ts';

/** A page that leads from an empty project to an encrypted workflow. */
export interface Readme {
  /** Its path from the root. */
  readonly page: string;
  /** The heading at which the reader is done. */
  readonly until: string;
  /** Id of the workflow that its program starts in the namespace `default`, with the result `Hello, Ada!`. */
  readonly workflowId: string;
  /** For its commands: where the language's tools keep what they download. */
  readonly env: Readonly<Record<string, string>>;
}

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
  /** Its page, to be followed word by word in an empty project. */
  readonly readme?: Readme;
  /** The program, built, with its arguments: see README.md. */
  command(): Promise<readonly [program: string, ...args: string[]]>;
}

export const go: Language = {
  name: 'Go',
  file: 'go',
  sdk: `Go SDK ${versionOfGoModule(join(projectRoot, 'workers/go/go.mod'), 'go.temporal.io/sdk')}`,
  nexus: true,
  readme: { page: 'workers/go/README.md', until: 'Keys', workflowId: 'greeting-readme-go', env: goEnvironment },
  command: async () => [await goWorkerUnderTest()],
};

export const python: Language = {
  name: 'Python',
  file: 'python',
  sdk: `Python SDK ${versionInRequirements(join(projectRoot, 'examples/python/requirements.txt'), 'temporalio')}`,
  nexus: true,
  readme: {
    page: 'workers/python/README.md',
    until: 'Keys',
    workflowId: 'greeting-readme-python',
    env: pipEnvironment,
  },
  command: async () => [await pythonPeer(), join(suiteRoot, 'languages/python/worker.py')],
};

export const java: Language = {
  name: 'Java',
  file: 'java',
  sdk: `Java SDK ${versionOfMavenArtifact(join(suiteRoot, 'peers/java/pom.xml'), 'temporal.version')}`,
  nexus: true,
  readme: {
    page: 'workers/java/README.md',
    until: 'Keys',
    workflowId: 'greeting-readme-java',
    env: { MAVEN_OPTS: mavenOptions.join(' ') },
  },
  command: async () => ['java', '-cp', await javaPeer(), 'languages.WorkerUnderTest'],
};
