/**
 * Codec servers as other teams run them, made from published packages. Each is installed on first
 * use into folders that git ignores.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from './process.ts';

const run = promisify(execFile);
const BENCH = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache/bench/', import.meta.url));
const INSTALL_TIMEOUT_MS = 15 * 60_000;

/** Installs a rival if need be, and says how to start it. @throws Error when it cannot be installed */
export type Install = () => Promise<Command>;

/** The Go SDK's `converter.NewPayloadCodecHTTPHandler`. */
export const installGo: Install = async () => {
  const binary = `${CACHE}go-rival`;
  await once('go', [`${BENCH}rivals/go/main.go`, `${BENCH}rivals/go/go.sum`], () =>
    install('go', ['build', '-buildvcs=false', '-o', binary, '.'], `${BENCH}rivals/go`),
  );
  return { file: binary, args: [] };
};

/** Java's `temporal-remote-data-encoder`, without Nagle's delay, which would dominate its latency. */
export const installJava: Install = async () => {
  const output = `${CACHE}java`;
  const sources = ['pom.xml', 'src/main/java/bench/Server.java', 'src/main/java/bench/AesCodec.java'];
  await once(
    'java',
    sources.map((name) => `${BENCH}rivals/java/${name}`),
    () => install('mvn', ['-q', '-B', '-ntp', 'package', `-Dbench.output=${output}`], `${BENCH}rivals/java`),
  );
  return {
    file: 'java',
    args: ['-Dsun.net.httpserver.nodelay=true', '-cp', `${output}/classes:${output}/lib/*`, 'bench.Server', '0'],
  };
};

/** express with the TypeScript SDK. */
export const installNode: Install = async () => {
  const cwd = `${BENCH}rivals/node`;
  await once('node', [`${cwd}/package-lock.json`], () => install('npm', ['ci', '--no-audit', '--no-fund'], cwd));
  return { file: process.execPath, args: ['server.js', '0'], cwd };
};

/** aiohttp with the Python SDK. */
export const installPython: Install = async () => {
  const venv = `${CACHE}python`;
  const requirements = `${BENCH}rivals/python/requirements.txt`;
  await once('python', [requirements], async () => {
    await install('python3', ['-m', 'venv', venv], BENCH);
    await install(`${venv}/bin/pip`, ['install', '-q', '-r', requirements], BENCH);
  });
  return { file: `${venv}/bin/python`, args: [`${BENCH}rivals/python/server.py`, '0'] };
};

/** Versions of the runtimes behind the rivals, as they name themselves; left out where one is missing. */
export async function runtimeVersions(): Promise<Record<string, string>> {
  const asked: readonly (readonly [string, readonly string[]])[] = [
    ['go', ['version']],
    ['java', ['-version']],
    ['python3', ['--version']],
  ];
  const versions: Record<string, string> = { node: process.version };
  for (const [name, args] of asked) {
    try {
      const { stdout, stderr } = await run(name, [...args]);
      versions[name] = (stdout || stderr).split('\n')[0]?.trim() ?? '';
    } catch {
      versions[name] = 'not installed';
    }
  }
  return versions;
}

/** Installs when that never succeeded, or when a source is younger than the last success. */
async function once(name: string, sources: readonly string[], action: () => Promise<void>): Promise<void> {
  const marker = `${CACHE}${name}.installed`;
  await mkdir(CACHE, { recursive: true });
  const stamp = (await Promise.all(sources.map(async (file) => `${file} ${(await stat(file)).mtimeMs}`))).join('\n');
  if (existsSync(marker) && (await readFile(marker, 'utf8')) === stamp) return;
  await action();
  await writeFile(marker, stamp);
}

async function install(file: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await run(file, [...args], { cwd, timeout: INSTALL_TIMEOUT_MS });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const lines = (stderr?.trim() || message).split('\n');
    throw new Error(`${file} ${args[0]}: ${lines.at(-1)}`);
  }
}
