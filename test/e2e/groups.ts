/** The groups of checks, each a file that can run alone, and what each needs on this machine. */
import * as tools from './support/tools.ts';

/** One file of checks. */
export interface Group {
  readonly name: string;
  /** What it shows, in a line. */
  readonly shows: string;
  readonly file: string;
  /** The tools it needs, by the names of {@link toolbox}. */
  readonly needs: readonly ToolName[];
}

/** Everything that can be installed or built, with the way to do it. */
export const toolbox = {
  'npm packages of the suite': tools.suitePackages,
  'older TypeScript SDKs': tools.olderSdks,
  'older Node.js': tools.oldNode,
  'worker package': tools.workerPackage,
  'Temporal CLI and server': tools.temporalCli,
  'Web UI server': tools.webUIServer,
  Chromium: tools.chromium,
  'Go peer': tools.goPeer,
  'Go example': tools.goExample,
  'Go worker under test': tools.goWorkerUnderTest,
  'Java peer': tools.javaPeer,
  'Python peer': tools.pythonPeer,
  'Python with S3': tools.pythonS3,
} satisfies Record<string, () => Promise<unknown>>;

export type ToolName = keyof typeof toolbox;

const server = ['npm packages of the suite', 'Temporal CLI and server'] as const;

export const groups: readonly Group[] = [
  {
    name: 'cli',
    shows: 'the Temporal CLI reads and writes encrypted payloads',
    file: 'cli.test.ts',
    needs: server,
  },
  {
    name: 'histories',
    shows: 'whole histories and a whole namespace: decoded as the CLI decodes them, and the proof that a key may go',
    file: 'histories.test.ts',
    needs: [...server, 'Python peer'],
  },
  {
    name: 'workers',
    shows: 'workers and clients in every language that encrypt by themselves read each other',
    file: 'workers.test.ts',
    needs: [...server, 'Python peer', 'Go peer', 'Java peer'],
  },
  {
    name: 'outages',
    shows: 'a TypeScript worker outlives every failure of its key service, on the newest SDK, 1.20 and 1.13',
    file: 'outages.test.ts',
    needs: [...server, 'older TypeScript SDKs'],
  },
  {
    name: 'worker-package',
    shows: 'the package for TypeScript workers, installed: small, in both kinds of module, bundled, and on Node.js 20',
    file: 'worker-package.test.ts',
    needs: ['npm packages of the suite', 'older Node.js', 'worker package'],
  },
  {
    name: 'features',
    shows:
      'everything that a payload or a failure can be in: plugin, data converter and prebuilt bundle leave no secret',
    file: 'features.test.ts',
    needs: server,
  },
  {
    name: 'nexus',
    shows: 'Nexus between two namespaces that encrypt, with a keyring and over KMS with one key each',
    file: 'nexus.test.ts',
    needs: server,
  },
  {
    name: 'long-history',
    shows: 'a TypeScript worker replays a history with 5,000 data keys, and calls KMS once for each',
    file: 'long-history.test.ts',
    needs: ['npm packages of the suite'],
  },
  {
    name: 'examples',
    shows: 'the workers of examples/ run as their pages say, and Temporal stores ciphertext of them',
    file: 'examples.test.ts',
    needs: [...server, 'Python peer', 'Go example', 'Java peer', 'worker package'],
  },
  {
    name: 'languages-go',
    shows: 'a worker with the library of workers/go loses and shows nothing, through faults and rotation',
    file: 'languages-go.test.ts',
    needs: [...server, 'Go worker under test'],
  },
  {
    name: 'languages-python',
    shows: 'the same for the library of workers/python',
    file: 'languages-python.test.ts',
    needs: [...server, 'Python peer'],
  },
  {
    name: 'languages-java',
    shows: 'the same for the library of workers/java',
    file: 'languages-java.test.ts',
    needs: [...server, 'Java peer'],
  },
  {
    name: 'remote-codecs',
    shows: 'the remote codecs of the Go and Java SDKs encode and decode through the server',
    file: 'remote-codecs.test.ts',
    needs: ['npm packages of the suite', 'Go peer', 'Java peer'],
  },
  {
    name: 'doctor',
    shows: "codec-server doctor says what is so of our server and of the Go SDK's own",
    file: 'doctor.test.ts',
    needs: [...server, 'Go peer'],
  },
  {
    name: 'web-ui',
    shows: "Temporal's Web UI in Chromium shows and sends encrypted payloads",
    file: 'web-ui.test.ts',
    needs: [...server, 'Web UI server', 'Chromium'],
  },
  {
    name: 'dev-server',
    shows: 'the Web UI that `temporal server start-dev` brings shows and sends encrypted payloads',
    file: 'dev-server.test.ts',
    needs: [...server, 'Chromium'],
  },
  {
    name: 'web-ui-sign-in',
    shows: 'the Web UI passes the tokens of people who signed in, and they read what the rules allow',
    file: 'web-ui-sign-in.test.ts',
    needs: [...server, 'Web UI server', 'Chromium'],
  },
  {
    name: 'external-storage',
    shows: 'large payloads that a worker moved to S3 are read in the Web UI and by the CLI, by whoever may',
    file: 'external-storage.test.ts',
    needs: [...server, 'Chromium', 'Python with S3', 'worker package'],
  },
  {
    name: 'storage-reference',
    shows: "the Go SDK's own storage-aware handler and the codec server answer a table of requests alike",
    file: 'storage-reference.test.ts',
    needs: ['npm packages of the suite', 'Go peer'],
  },
  {
    name: 'own-sign-in',
    shows: 'people sign in at the codec server itself, and read in a Web UI on its site until they sign out',
    file: 'own-sign-in.test.ts',
    needs: [...server, 'Web UI server', 'Chromium'],
  },
  {
    name: 'deployed',
    shows: 'the synthesized stack behind its gateway serves CLI and Web UI as the local server does',
    file: 'deployed.test.ts',
    needs: [...server, 'Web UI server', 'Chromium'],
  },
  {
    name: 'readme',
    shows: 'README.md as a code host shows it: the first command on the first screen, pictures that can be read',
    file: 'readme.test.ts',
    needs: ['npm packages of the suite', 'Chromium'],
  },
  {
    name: 'start-message',
    shows: 'every line that the server prints at its start, and the page on HTTPS, with a real CLI and Web UI',
    file: 'start-message.test.ts',
    needs: [...server, 'Chromium'],
  },
  {
    name: 'demo',
    shows: 'npm run demo works as somebody new runs it',
    file: 'demo.test.ts',
    needs: [...server, 'Chromium'],
  },
];
