import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import dev from '../../../environments/dev.ts';
import { bundleFunction, PROJECT_ROOT } from '../../../lib/bundle/bundle.ts';
import { bundleBudget, bundleReport } from '../../../lib/bundle/bundle-report.ts';
import full from '../../support/environments/full.ts';
import signIn from '../../support/environments/sign-in.ts';
import { withStorage } from '../../support/environments/with-storage.ts';

const folder = mkdtempSync(join(tmpdir(), 'codec-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bundles = {
  dev: bundleFunction({
    configFile: join(PROJECT_ROOT, 'environments/dev.ts'),
    config: dev,
    environment: 'dev',
    outdir: join(folder, 'dev'),
  }),
  full: bundleFunction({
    configFile: join(PROJECT_ROOT, 'test/support/environments/full.ts'),
    config: full,
    environment: 'full',
    outdir: join(folder, 'full'),
  }),
  storage: bundleFunction({
    configFile: join(PROJECT_ROOT, 'test/support/environments/with-storage.ts'),
    config: withStorage,
    environment: 'storage',
    outdir: join(folder, 'storage'),
  }),
  signIn: bundleFunction({
    configFile: join(PROJECT_ROOT, 'test/support/environments/sign-in.ts'),
    config: signIn,
    environment: 'sign-in',
    outdir: join(folder, 'sign-in'),
  }),
};

describe('the bundle of the function', () => {
  it('is one file', () => {
    expect(readdirSync(join(folder, 'dev')).sort()).toEqual(['index.mjs']);
  });

  it('stays within its budget, with everything in it', () => {
    for (const [name, config] of Object.entries({ dev, full, storage: withStorage, signIn }))
      expect(bundleReport(bundles[name as keyof typeof bundles]).bytes).toBeLessThanOrEqual(bundleBudget(config));
    expect([dev, full].map(bundleBudget)).toEqual([450_000, 450_000]);
  });

  it('holds no test code, no reflection of protobuf, and no AWS SDK twice', () => {
    for (const metafile of Object.values(bundles)) {
      const inputs = Object.keys(metafile.inputs).filter((file) => !file.startsWith('test/support/environments/'));
      const own = inputs.filter((file) => !file.includes('node_modules/') && file !== 'entry.ts');
      expect(
        own.filter((file) => !/^(lambda|codec|config|environments|lib\/bundle)\/|^bin\/function\.ts$/.test(file)),
      ).toEqual([]);
      expect(
        inputs.filter((file) => /node_modules\/(@temporalio\/proto|protobufjs|aws-sdk|middy)\//.test(file)),
      ).toEqual([]);
      const cores = inputs.filter((file) => /@(smithy|aws-sdk)\/core\/package\.json$|@smithy\/core\//.test(file));
      expect(new Set(cores.map((file) => file.slice(0, file.lastIndexOf('@smithy/core')))).size).toBe(1);
    }
  });

  it('leaves out what its configuration has no use for', () => {
    const { packages } = bundleReport(bundles.dev);
    expect(packages['@aws-sdk/client-kms']).toBeGreaterThan(0);
    expect(packages['@aws-sdk/client-secrets-manager']).toBeUndefined();
    expect(packages['@aws-sdk/nested-clients']).toBeUndefined();
    expect(bundleReport(bundles.full).packages['@aws-sdk/client-secrets-manager']).toBeGreaterThan(0);
    expect(packages['@aws-sdk/client-s3']).toBeUndefined();
    expect(packages['@aws-sdk/checksums']).toBeUndefined();
    expect(bundleReport(bundles.storage).packages['@aws-sdk/client-s3']).toBeGreaterThan(0);
  });

  it('has nothing of the sign-in where the environment has none', () => {
    const ofSignIn = /^lambda\/server\/sign-in\/|node_modules\/(openid-client|oauth4webapi|jose)\//;
    const included = (metafile: (typeof bundles)['dev']): string[] => {
      const [output] = Object.values(metafile.outputs).filter(({ entryPoint }) => entryPoint !== undefined);
      return Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) =>
        bytesInOutput > 0 && ofSignIn.test(file) ? [file] : [],
      );
    };
    expect([...included(bundles.dev), ...included(bundles.full)]).toEqual([]);
    expect(included(bundles.signIn)).toContain('lambda/server/sign-in/sessions.ts');
    expect(bundleReport(bundles.signIn).packages['openid-client']).toBeGreaterThan(0);
    expect(readFileSync(join(folder, 'dev', 'index.mjs'), 'utf8')).not.toContain('__Host-codec-server');
  });

  it('has the canary where a schedule asks the server, and nowhere else', () => {
    const { deployment } = dev;
    bundleFunction({
      configFile: join(PROJECT_ROOT, 'environments/dev.ts'),
      config: { ...dev, deployment: { ...deployment, alarms: { topic: null, canary: true } } },
      environment: 'dev',
      outdir: join(folder, 'canary'),
    });
    const has = ['canary', 'dev'].map((name) =>
      readFileSync(join(folder, name, 'index.mjs'), 'utf8').includes('the canary sings'),
    );
    expect(has).toEqual([true, false]);
  });

  it('imports nothing but what Node brings', () => {
    for (const metafile of Object.values(bundles)) {
      const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined);
      const imported = (output?.imports ?? []).map(({ path }) => path.replace(/^node:/, ''));
      const { builtinModules } = process.getBuiltinModule('node:module');
      expect(imported.filter((path) => !builtinModules.includes(path))).toEqual([]);
    }
  });

  it('has the environment’s configuration in it, and nothing of another', () => {
    const code = readFileSync(join(folder, 'full', 'index.mjs'), 'utf8');
    expect(code).toContain('https://temporal.example.com');
    expect(code).not.toContain('http://localhost:8233');
  });
});
