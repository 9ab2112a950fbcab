/**
 * `npm run release`: makes what a release consists of, from a commit that is ready for it, and publishes nothing. Says
 * everything that is not ready at once. The command that publishes is printed, for whoever holds the registry account.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packPackages } from './release/pack.ts';
import { changesOf, packagesNamedIn, problemsOf, type ReleaseState } from './release/readiness.ts';
import { runnerOptions } from './runner-options.ts';

const USAGE = `
Usage: npm run release [-- options]

Checks that this commit can be released, and makes its artifacts: both packages, their sums, the bill of materials,
the changes, and what the version deploys and writes. Nothing is published.

  --out FOLDER    where the artifacts go. Default: release/<version>
  --help
`;
const { values: options } = runnerOptions(USAGE, { options: { out: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const versionIn = (file: string): string => (JSON.parse(read(file)) as { version: string }).version;
const version = versionIn('package.json');
const frozenFolder = join('test', 'releases', version);

const problems = problemsOf(releaseState());
if (problems.length > 0) {
  process.stderr.write(`${version} cannot be released yet:\n${problems.map((it) => `  ${it}\n`).join('')}`);
  process.exit(1);
}
makeArtifacts(resolve(options.out ?? join(root, 'release', version)));

function releaseState(): ReleaseState {
  const frozen = frozenState();
  return {
    changes: output('git', 'status', '--porcelain').split('\n').filter(Boolean),
    version,
    otherVersions: {
      'codec/package.json': versionIn('codec/package.json'),
      'package-lock.json': versionIn('package-lock.json'),
      ...packagesNamedIn(
        output(
          'git',
          'grep',
          '-n',
          '-E',
          'temporal-codec-server(-worker)?-[0-9.]+[.]tgz',
          '--',
          '*.md',
          ':!CHANGELOG.md',
          'test/walk',
        ),
      ),
    },
    changelog: read('CHANGELOG.md'),
    tag: tagState(),
    frozen,
  };
}

function tagState(): ReleaseState['tag'] {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--verify', '--quiet', `v${version}^{commit}`], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) return 'none';
  return stdout.trim() === output('git', 'rev-parse', 'HEAD').trim() ? 'here' : 'elsewhere';
}

/** Freezes the version where that was not done; else compares. */
function frozenState(): ReleaseState['frozen'] {
  if (!/^\d+\.\d+\.\d+$/.test(version)) return 'same';
  if (!existsSync(join(root, frozenFolder))) {
    output(process.execPath, 'test/releases/freeze.ts', version);
    return 'missing';
  }
  const { status } = spawnSync(process.execPath, ['test/releases/freeze.ts', version, '--compare'], { cwd: root });
  return status === 0 ? 'same' : 'different';
}

function makeArtifacts(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packages = packPackages(root, folder);
  const [, server] = packages;
  copyFileSync(join(root, 'dist', 'sbom.cdx.json'), join(folder, `${server?.name}-${version}.cdx.json`));
  cpSync(join(root, frozenFolder), join(folder, 'frozen'), { recursive: true });
  writeFileSync(join(folder, 'CHANGES.md'), `${changesOf(read('CHANGELOG.md'), version)}\n`);
  const commit = output('git', 'rev-parse', 'HEAD').trim();
  const madeWith = { node: process.version, npm: output('npm', '--version').trim() };
  writeFileSync(join(folder, 'release.json'), `${JSON.stringify({ version, commit, madeWith, packages }, null, 2)}\n`);

  const place = `./${relative(process.cwd(), folder)}`;
  const lines = packages.map(({ file, bytes, integrity }) => `  ${file}  ${bytes} bytes\n  ${integrity}\n`);
  const publish = packages.map(({ file }) => `npm publish ${place}/${file}`).join(' && ');
  process.stdout.write(`${version} is in ${place}:\n${lines.join('')}\nPublish it with:\n  ${publish}\n`);
}

function output(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
  return stdout;
}
