/**
 * Compiles workers/dotnet with its tests and runs them, on the compiler, the runtime and the libraries that the registries of
 * npm and PyPI have: there is no NuGet here. Temporalio and the client for KMS are stand-ins, so what needs more of Temporalio
 * than a payload stays out. With `--only-prepare` it fetches.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cacheRoot } from '../support/caches.ts';
import { madeOnce } from '../support/made-once.ts';
import { pythonEnvironment } from '../support/python.ts';

/** A package that brings NUnit 3.13.2 along. */
const NUNIT = {
  name: '@autorest/csharp',
  version: '3.0.0-beta.20251203.1',
  sha512: 'qmdRB695uwzU7Xe7cfP7KATcWJh6wcsmydKbPy17Yo1923VPmnqtHsQ/xHPr97gpzSfuElIv9TZYQIGXXl4KEQ==',
};

/** Needs a client of Temporalio, or its converters of failures. */
const OF_THE_CLIENT = ['EncryptionPlugin.cs', 'PluginTests.cs'];

const root = join(import.meta.dirname, '../..');
const own = join(import.meta.dirname, 'dotnet');

/** The library of NUnit, fetched once. @throws Error when the package is another one */
async function nunit(): Promise<string> {
  const folder = join(cacheRoot, `nunit-${NUNIT.version}`);
  await madeOnce(folder, async (target) => {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', target, `${NUNIT.name}@${NUNIT.version}`]);
    const [archive = ''] = globSync(join(target, '*.tgz'));
    const sum = createHash('sha512').update(readFileSync(archive)).digest('base64');
    if (sum !== NUNIT.sha512) throw new Error(`${NUNIT.name} ${NUNIT.version} has the SHA-512 ${sum}`);
    execFileSync('tar', ['xzf', archive, '-C', target, 'package/nunit.framework.dll']);
    rmSync(archive);
  });
  return join(folder, 'package/nunit.framework.dll');
}

/** Compiles and runs. @returns the exit code */
function test(python: string, library: string, folder: string): number {
  const sources = ['workers/dotnet/src/*.cs', 'workers/dotnet/tests/*.cs', 'test/workers/dotnet/*.cs']
    .flatMap((pattern) => globSync(join(root, pattern)))
    .filter((file) => !OF_THE_CLIENT.includes(basename(file)));
  const env = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', DOTNET_TieredPGO: '0' };
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  const compile = [join(own, 'compile.py'), folder, library, ...sources];
  const compiled = spawnSync(python, compile, { encoding: 'utf8', env, stdio });
  if (compiled.error !== undefined) throw compiled.error;
  if (compiled.status !== 0) return 1;
  for (const file of ['aws-encryption-sdk-python.json', 'workers.json'])
    copyFileSync(join(root, 'test/vectors', file), join(folder, file));
  const run = spawnSync(compiled.stdout.trim(), ['exec', join(folder, 'Tests.dll')], { env, stdio: 'inherit' });
  if (run.error !== undefined) throw run.error;
  return run.status ?? 1;
}

const requirements = join(own, 'requirements.txt');
const packages = ['--no-deps', '--require-hashes', '-r', requirements];
const python = join(await pythonEnvironment('workers-dotnet', own, packages, [requirements]), 'python');
const library = await nunit();
if (process.argv[2] !== '--only-prepare') {
  const folder = mkdtempSync(join(tmpdir(), 'workers-dotnet-'));
  try {
    process.exitCode = test(python, library, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
