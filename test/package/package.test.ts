import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { packPackages, sumOf } from '../../scripts/release/pack.ts';
import { start } from '../e2e/support/processes.ts';
import { breaksBetween, lastingOf } from '../releases/lasting.ts';
import { type FrozenEnvironment, frozenEnvironments } from '../releases/releases.ts';

// biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation says
type Resource = { readonly Type: string; readonly Properties: any };

const root = fileURLToPath(new URL('../..', import.meta.url));
const consumer = fileURLToPath(new URL('consumer', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
  bin: { 'codec-server': string };
  engines: { node: string };
  dependencies: Record<string, string>;
  exports: Record<'./cdk' | './config', Record<'import' | 'require', { types: string }>>;
};
/** What the packages are made from. */
const SOURCES = [
  ...['.npmrc', 'LICENSE', 'README.md', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
  ...['bin', 'cli', 'codec', 'config', 'environments', 'lambda', 'lib', 'scripts'],
];
const app = realpathSync(mkdtempSync(join(tmpdir(), 'package-')));
const tarball = join(app, `${manifest.name}-${manifest.version}.tgz`);
const workerTarball = join(app, `${manifest.name}-worker-${manifest.version}.tgz`);
const installed = join(app, 'node_modules', manifest.name);

function run(...command: string[]): string {
  return execFileSync(process.execPath, command, { cwd: app, encoding: 'utf8', stdio: 'pipe' });
}

function filesIn(packed: string): string[] {
  return execFileSync('tar', ['-tzf', packed], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

/** Links a package of the project into the app, as if it had been installed. */
function link(name: string): void {
  const at = join(app, 'node_modules', name);
  if (existsSync(at)) return;
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), at);
}

/** What the packed package says that it needs. */
function billOfMaterials(): { name: string }[] {
  return JSON.parse(readFileSync(join(installed, 'dist/sbom.cdx.json'), 'utf8')).components;
}

/** The file that npm makes a command of. */
function commandFile(): string {
  return join(installed, manifest.bin['codec-server']);
}

/** As `npm pack` and `npm install` do it, but with dependencies that are on this machine, and those alone that it names. */
beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root, stdio: 'pipe' });
  const npm = process.env['npm_execpath'];
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const arguments_ = [...first, 'pack', '--ignore-scripts', '--offline', '--json', '--pack-destination', app];
  for (const cwd of [root, join(root, 'codec')]) execFileSync(command, arguments_, { cwd, stdio: 'pipe' });
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) link(name);
  cpSync(consumer, app, { recursive: true });
});

afterAll(() => rmSync(app, { recursive: true, force: true }));

describe('the packed package', () => {
  it('is used from an ES module', () => {
    expect(run('esm.mjs')).toBe('binary/aws-encryption-sdk "hello"\n');
  });

  it('is used from CommonJS, without Node’s support for requiring ES modules', () => {
    expect(run('--no-experimental-require-module', 'commonjs.cjs')).toBe('binary/aws-encryption-sdk "hello"\n');
  });

  it('brings the command codec-server, which serves and ends', async () => {
    const server = await start(process.execPath, [commandFile(), 'start', '--port', '0'], {
      cwd: app,
      ready: /http:\/\/127\.0\.0\.1:\d+/,
    });
    try {
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output())?.[0] ?? '';
      expect((await fetch(`${address}/healthz`)).status).toBe(200);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  it.each(['20.20.2', '22.14.9'])('says in one line that Node.js %s is too old, whatever the command', (version) => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
    for (const command of ['start', 'doctor', '--help']) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, commandFile(), command],
        { cwd: app, encoding: 'utf8' },
      );
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^codec-server needs Node\.js [\d.]+ or newer, and this is [\d.]+: install .+\n$/);
      expect(stderr).toContain(`${manifest.engines.node.replace('>=', '')} or newer, and this is ${version}`);
    }
  });

  it('imports nothing at the start of its command that an old Node.js could not read', () => {
    const imported = (file: string) =>
      [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) .*?from "([^"]+)"/gms)].map(([, from]) => from);
    const files = ['../cli/command.js', '../cli/commands.js'];
    expect(imported(commandFile())).toEqual(files);
    for (const file of files) expect(imported(join(dirname(commandFile()), file))).toEqual([]);
  });

  it('encrypts failures with a converter that the SDK can load, from both', () => {
    link('@temporalio/common');
    const encoded = 'Encoded failure: {"message":"card 4242 refused"}\n';
    expect([run('failure-esm.mjs'), run('failure-commonjs.cjs')]).toEqual([encoded, encoded]);
  });

  it('is compiled by TypeScript from both, and refuses what makes no sense', () => {
    for (const name of ['@types/node', 'undici-types']) link(name);
    const compiler = join(root, 'node_modules/typescript/lib/tsc.js');
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', '.', '--pretty', 'false'], {
      cwd: app,
      encoding: 'utf8',
    });
    const errors = stdout.split('\n').flatMap((line) => /^(\S+)\((\d+),/.exec(line)?.slice(1, 3).join(':') ?? []);
    const lines = readFileSync(join(consumer, 'must-not-compile.mts'), 'utf8').split('\n');
    const refused = lines.flatMap((line, i) => (line.includes('// refused') ? [`must-not-compile.mts:${i + 1}`] : []));
    expect([...new Set(errors)]).toEqual(refused);
  });

  it('has types where TypeScript looks for no exports, as in many CDK apps: with moduleResolution node10', () => {
    for (const name of ['aws-cdk-lib', 'constructs']) link(name);
    const compiler = join(root, 'node_modules/typescript/lib/tsc.js');
    const options = [
      '--ignoreConfig',
      '--moduleResolution',
      'node10',
      '--ignoreDeprecations',
      '6.0',
      '--module',
      'commonjs',
    ];
    const others = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--types', 'node'];
    expect(run(compiler, ...options, ...others, 'typed-node10.ts')).toBe('');
  });

  it('has types for a CDK app and a configuration that need no SDK of Temporal', () => {
    const read = new Set<string>();
    const packages = new Set<string>();
    const follow = (file: string): void => {
      if (read.has(file)) return;
      read.add(file);
      for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?['"]([^'"]+)['"]/g)) {
        if (from.startsWith('.')) follow(join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')));
        else packages.add(from.split('/')[0] ?? '');
      }
    };
    for (const name of ['./cdk', './config'] as const)
      for (const { types } of Object.values(manifest.exports[name])) follow(join(installed, types));
    expect(read.size).toBeGreaterThan(20);
    expect([...packages].sort()).toEqual(['aws-cdk-lib', 'constructs']);
  });

  describe('in a CDK app', () => {
    const cdkApps = fileURLToPath(new URL('cdk-apps', import.meta.url));
    const synthesize = (file: string, outdir: string, variables: NodeJS.ProcessEnv = {}) => {
      for (const name of ['aws-cdk-lib', 'constructs']) link(name);
      cpSync(cdkApps, app, { recursive: true });
      // without types, so that the Node.js of the app does not matter
      const dev = readFileSync(join(installed, 'dist/environments/dev.ts'), 'utf8');
      writeFileSync(join(app, 'dev.mjs'), dev.replace(/^import type .*$/m, '').replace(': EnvironmentConfig', ''));
      const env = { ...process.env, CDK_OUTDIR: join(app, outdir), CDK_DISABLE_VERSION_CHECK: '1', ...variables };
      execFileSync(process.execPath, [file], { cwd: app, env, stdio: 'pipe' });
    };
    const read = (file: string) => JSON.parse(readFileSync(join(app, file), 'utf8'));

    it('of CommonJS is a construct, twice in a stack and with what the app has made', () => {
      synthesize('construct.cjs', 'out-cjs');
      const { Resources } = read('out-cjs/Team.template.json') as { Resources: Record<string, Resource> };
      const all = Object.entries(Resources);
      const ids = (type: string) => all.filter(([, { Type }]) => Type === type).map(([id]) => id);
      expect(ids('AWS::ApiGatewayV2::Api')).toHaveLength(2);
      // The keys of the app, and the one key that is made: no second one for Billing.
      expect(ids('AWS::KMS::Key').filter((id) => !/^(Logs)?Key/.test(id))).toHaveLength(1);
      expect(ids('AWS::CloudWatch::Dashboard').filter((id) => id.startsWith('Orders'))).toEqual([]);
      const codes = all.flatMap(([, { Properties }]) => Properties?.['Code']?.S3Key ?? []);
      expect(new Set(codes).size).toBe(2);
      const [policy] = all
        .filter(([id]) => id.startsWith('WorkerDefaultPolicy'))
        .map(([, { Properties }]) => Properties);
      expect(JSON.stringify(policy)).toContain('orders-prod.a1b2c');
      expect(JSON.stringify(policy)).not.toContain('billing-prod.a1b2c');
    });

    it('of ES modules is a stack, with the logical ids that releases deployed', () => {
      synthesize('stack.mjs', 'out-esm');
      const template = read('out-esm/CodecServer-dev.template.json') as { Resources: Record<string, Resource> };
      const [, { template: frozen }] = frozenEnvironments('0.1.0').find(([name]) => name === 'dev') as [
        string,
        FrozenEnvironment,
      ];
      expect(breaksBetween(frozen, lastingOf(template))).toEqual([]);
    });

    it('tells every problem of a configuration at once, and no stack trace first', () => {
      synthesize('stack.mjs', 'out-refused', { WITH_PROBLEMS: '1' });
      const texts = readdirSync(join(app, 'out-refused')).filter((file) => /^(manifest|Refused\.metadata)/.test(file));
      const errors = texts.map((file) => readFileSync(join(app, 'out-refused', file), 'utf8')).join('\n');
      for (const path of ['name: ', 'config.deployment: ', 'identity: ']) expect(errors).toContain(path);
      const rules = Object.keys(read('out-refused/Refused.template.json').Rules);
      expect(rules.filter((id) => id.startsWith('CodecRefused'))).toHaveLength(1);
    });
  });

  it('is the same bytes, whichever folder it was made in', () => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    const copy = mkdtempSync(join(root, '.cache/another-folder-'));
    try {
      for (const name of SOURCES)
        cpSync(join(root, name), join(copy, name), { recursive: true, filter: (file) => !file.endsWith('codec/dist') });
      // What is in the function; compilers are found further up.
      for (const { name } of billOfMaterials())
        cpSync(join(root, 'node_modules', name), join(copy, 'node_modules', name), { recursive: true });
      const made = packPackages(copy, copy);
      expect(made.map(({ file }) => file)).toEqual([
        `${manifest.name}-worker-${manifest.version}.tgz`,
        `${manifest.name}-${manifest.version}.tgz`,
      ]);
      expect(made.map(({ integrity }) => integrity)).toEqual(made.map(({ file }) => sumOf(join(app, file)).integrity));
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('brings a bill of materials that lists what it needs, and nothing for development', () => {
    const names = billOfMaterials().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    expect(names.filter((name) => /jest|cdk|esbuild|typescript/.test(name))).toEqual([]);
  });

  it('for workers brings readme and license at its root', () => {
    const outsideOfDist = filesIn(workerTarball).filter((file) => !file.startsWith('package/dist/'));
    expect(outsideOfDist.sort()).toEqual(['package/LICENSE', 'package/README.md', 'package/package.json']);
  });

  it('holds what it is made of, and no tests, sources or keys', () => {
    const files = filesIn(tarball);
    expect(files).toEqual(expect.arrayContaining(['package/package.json', 'package/README.md', 'package/LICENSE']));
    expect(files).toContain('package/dist/sbom.cdx.json');
    const others = files.filter(
      (file) =>
        !/^package\/(dist\/.+\.(js|d\.ts|json)|dist\/function\/[\w-]+\.mjs|dist\/environments\/(dev|prod)\.ts|package\.json|README\.md|LICENSE)$/.test(
          file,
        ),
    );
    expect(others).toEqual([]);
  });
});
