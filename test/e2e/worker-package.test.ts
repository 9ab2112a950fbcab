/** What a worker installs, packed and installed as a project has it: modules of both kinds, two bundlers, two versions of Node.js. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build, type Format } from 'esbuild';
import { cacheRoot } from '../support/caches.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { retried } from '../support/retried.ts';
import { suiteRoot } from './support/paths.ts';
import { run, runOrThrow } from './support/processes.ts';
import { oldNode, workerPackage } from './support/tools.ts';
import { versions } from './support/versions.ts';
import { asCommonJs, asModule, EXPECTED } from './worker-package/programs.ts';

const NAME = 'temporal-codec-server-worker';
/** What the package and everything it needs may be, beside the SDK that a worker has. */
const BUDGET = { packages: 28, megabytes: 22 };

/** The projects stand outside of the repository, whose own packages they would find. */
const root = mkdtempSync(join(tmpdir(), 'worker-package-'));
const app = join(root, 'app');
const options = ['--no-audit', '--no-fund', `--cache=${join(cacheRoot, 'npm')}`];

let tarball: string;

async function install(folder: string, ...args: readonly string[]): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  return await retried(() => runOrThrow('npm', ['install', ...options, ...args], { cwd: folder }));
}

/** Bytes on a disk with blocks of 4 KiB, as `du` counts them. */
function bytesOnDisk(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => statSync(join(folder, file)))
    .reduce((sum, stat) => sum + (stat.isFile() ? Math.ceil(stat.size / 4096) * 4096 : 0), 0);
}

let kms: KmsStandIn;

/** What a program of the app prints. */
async function outcomeOf(file: string, node = process.execPath): Promise<string> {
  const env = {
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    KMS_KEY: kms.createKey(),
  };
  const { stdout, stderr } = await run(node, [file], { cwd: root, env });
  // The AWS SDK warns of Node.js 20 where it works, too.
  return stdout === EXPECTED ? stdout : stdout + stderr;
}

const nodes: readonly (readonly [name: string, executable: () => Promise<string>])[] = [
  [`Node.js ${process.version.slice(1)}`, async () => process.execPath],
  [`Node.js ${versions.oldNode}`, oldNode],
];

describe('The package for TypeScript workers', () => {
  before(async () => {
    ({ tarball } = await workerPackage());
    await install(app, '--omit=peer', tarball);
    kms = await KmsStandIn.start();
  });
  after(async () => {
    await kms?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('installs few packages and megabytes beside the SDK', (t) => {
    const { packages } = JSON.parse(readFileSync(join(app, 'node_modules/.package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    const count = Object.keys(packages).length;
    const megabytes = bytesOnDisk(join(app, 'node_modules')) / 1024 ** 2;
    t.diagnostic(`${count} packages, ${megabytes.toFixed(1)} MB`);
    assert.ok(count <= BUDGET.packages, `${count} packages: ${Object.keys(packages).join(', ')}`);
    assert.ok(megabytes <= BUDGET.megabytes, `${megabytes} MB`);
    // Secrets Manager's client is for a keyring that is a secret.
    assert.deepEqual(
      Object.keys(packages).filter((it) => /client-s3|middy|openid|aws-jwt|temporalio/.test(it)),
      [],
    );
  });

  it('is taken by npm beside every SDK that the suite runs', async () => {
    await Promise.all(
      [versions.typescriptSdk, ...versions.olderTypescriptSdks].map((version) =>
        install(
          join(root, `beside-${version}`),
          '--dry-run',
          '--strict-peer-deps',
          tarball,
          `@temporalio/common@${version}`,
        ),
      ),
    );
  });

  describe('beside the SDK', () => {
    before(() => symlinkSync(join(suiteRoot, 'node_modules/@temporalio'), join(app, 'node_modules/@temporalio')));

    for (const [name, executable] of nodes) {
      it(`works in an ES module and in CommonJS, on ${name}`, async () => {
        for (const [file, program] of [
          ['program.mjs', asModule],
          ['program.cjs', asCommonJs],
        ] as const) {
          writeFileSync(join(app, file), program);
          assert.equal(await outcomeOf(join(app, file), await executable()), EXPECTED, file);
        }
      });
    }

    /** @param external what is not taken into the bundle; the page says NAME and the SDK */
    const esbuild = async (format: Format, external: readonly string[], outfile: string): Promise<void> => {
      const entry = join(app, 'program.mjs');
      writeFileSync(entry, asModule);
      await build({
        entryPoints: [entry],
        bundle: true,
        platform: 'node',
        format,
        outfile,
        external: [...external],
        logLevel: 'silent',
      });
    };
    for (const format of ['esm', 'cjs'] as const) {
      const extension = format === 'esm' ? 'mjs' : 'cjs';
      it(`works in a bundle of esbuild, ${format}: left external, as the page says, and taken in`, async () => {
        const external = join(app, `external.${extension}`);
        await esbuild(format, [NAME, '@temporalio/*'], external);
        const within = join(app, `within.${extension}`);
        await esbuild(format, ['@temporalio/*', '@aws-sdk/*'], within);

        for (const [, executable] of nodes)
          for (const file of [external, within])
            assert.equal(await outcomeOf(file, await executable()), EXPECTED, file);
      });
    }

    it('says in one sentence what a bundle of everything lacks', async () => {
      const alone = join(root, 'alone');
      mkdirSync(alone);
      await esbuild('cjs', [], join(alone, 'bundle.cjs'));
      const said = await outcomeOf(join(alone, 'bundle.cjs'));
      assert.match(
        said,
        /^the failure converter is not beside this code: mark temporal-codec-server-worker as external[^\n]+\n$/,
      );
    });

    it('works in a bundle of webpack, as CommonJS and as an ES module', async () => {
      const webpack = createRequire(join(suiteRoot, 'package.json'))('webpack') as Webpack;
      writeFileSync(join(app, 'program.mjs'), asModule);
      for (const [type, filename] of [
        ['commonjs', 'webpack.cjs'],
        ['module', 'webpack.mjs'],
      ] as const) {
        await new Promise<void>((resolve, reject) => {
          webpack(
            {
              mode: 'production',
              target: 'node20',
              context: app,
              entry: './program.mjs',
              output: { path: app, filename, ...(type === 'module' && { module: true }) },
              externalsType: type,
              externals: [NAME, /^@temporalio\//],
              experiments: { outputModule: type === 'module' },
            },
            (error, stats) =>
              error ? reject(error) : stats?.hasErrors() ? reject(new Error(String(stats))) : resolve(),
          );
        });
        for (const [, executable] of nodes)
          assert.equal(await outcomeOf(join(app, filename), await executable()), EXPECTED, filename);
      }
    });
  });
});

/** The part of webpack that is used: it comes with the SDK, its types do not. */
type Webpack = (
  options: object,
  done: (error: Error | null, stats: { hasErrors(): boolean } | undefined) => void,
) => void;
