import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import type { EnvironmentConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';
import { buildFunction } from '../../lib/bundle/build-function.ts';
import { PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { bundleBudget } from '../../lib/bundle/bundle-report.ts';
import { CodecServer } from '../../lib/codec-server.ts';
import { addEnvironments } from '../../lib/codec-server-app.ts';
import { prebuiltCode } from '../../lib/function-code.ts';
import prod from '../support/environments/prod.ts';

const folder = mkdtempSync(join(tmpdir(), 'codec-function-'));
const built = join(folder, 'built');
const metafile = await buildFunction(built);
afterAll(() => rmSync(folder, { recursive: true }));

/** The asset folders of an assembly, by the stack whose function they are. */
function codeOf(outdir: string, stack: string): { hash: string; text: (file: string) => string } {
  const { Resources } = JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8')) as {
    Resources: Record<string, { Properties: { Code?: { S3Key?: string } } }>;
  };
  const [key = ''] = Object.values(Resources).flatMap(({ Properties }) => Properties?.Code?.S3Key ?? []);
  const hash = key.replace('.zip', '');
  return { hash, text: (file) => readFileSync(join(outdir, `asset.${hash}`, file), 'utf8') };
}

function synthesizePrebuilt(outdir: string, from: string, environments: Record<string, EnvironmentConfig>): void {
  const app = new App({ outdir, analyticsReporting: false });
  for (const [name, { deployment: _, ...config }] of Object.entries(environments)) {
    const code = prebuiltCode({ environment: name, config, restApi: false, codecsEntry: undefined, folder: from });
    new CodecServer(new Stack(app, name), 'Default', { name, config, code, alarms: null });
  }
  app.synth();
}

describe('the code of a function', () => {
  it('is that of its own environment where an app has several, bundled or prebuilt', () => {
    const bundled = join(folder, 'bundled');
    const app = new App({ outdir: bundled, analyticsReporting: false });
    addEnvironments(app, [
      { name: 'dev', file: join(PROJECT_ROOT, 'environments/dev.ts'), config: dev },
      { name: 'prod', file: join(PROJECT_ROOT, 'test/support/environments/prod.ts'), config: prod },
    ]);
    app.synth();
    expect(codeOf(bundled, 'CodecServer-prod').text('index.mjs')).toContain('billing-prod.a1b2c');
    expect(codeOf(bundled, 'CodecServer-dev').text('index.mjs')).not.toContain('billing-prod.a1b2c');

    const prebuilt = join(folder, 'several');
    synthesizePrebuilt(prebuilt, built, { dev, prod });
    expect(codeOf(prebuilt, 'prod').text('config.json')).toContain('billing-prod.a1b2c');
    expect(codeOf(prebuilt, 'dev').text('config.json')).not.toContain('billing-prod.a1b2c');
  });

  it('has one hash, whichever folder it was built in, copied to and synthesized into', async () => {
    const copyIn = (place: string): string => join(folder, 'machines', place, 'function');
    await buildFunction(copyIn('one'));
    for (const place of ['two/deeper', 'three']) cpSync(built, copyIn(place), { recursive: true });
    const hashes = ['one', 'two/deeper', 'three'].map((place) => {
      const copy = copyIn(place);
      const outdir = join(folder, 'machines', place, 'cdk.out');
      synthesizePrebuilt(outdir, copy, { dev });
      return codeOf(outdir, 'dev').hash;
    });
    expect(new Set(hashes).size).toBe(1);
  });

  it('asks nothing of `require`, which it is not given', () => {
    const code = readdirSync(built).map((file) => readFileSync(join(built, file), 'utf8'));
    expect(code.filter((text) => /typeof require\b|\brequire\("node:/.test(text))).toEqual([]);
  });

  it('has no source map, which would name the folders of the machine that made it', () => {
    expect(readdirSync(built).filter((file) => !file.endsWith('.mjs'))).toEqual([]);
  });

  it('loads for a plain environment three files, and no more than the budget of its bundle', () => {
    // What index.mjs imports at once; the rest is loaded where a configuration uses it.
    const atOnce = new Set<string>();
    const add = (file: string): void => {
      if (atOnce.has(file) || metafile.outputs[file] === undefined) return;
      atOnce.add(file);
      for (const { path, kind } of metafile.outputs[file]?.imports ?? []) if (kind === 'import-statement') add(path);
    };
    const [entry] = Object.entries(metafile.outputs).find(
      ([, { entryPoint }]) => entryPoint === 'bin/prebuilt-function.ts',
    ) ?? [''];
    add(entry);
    const kms = Object.entries(metafile.outputs).find(
      ([, { entryPoint }]) => entryPoint === 'codec/keys/kms/kms-client.ts',
    );
    add(kms?.[0] ?? '');
    const bytes = [...atOnce].reduce((sum, file) => sum + (metafile.outputs[file]?.bytes ?? 0), 0);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThanOrEqual(bundleBudget({ identity: null }));
    expect(atOnce.size).toBe(3);
    const inputs = [...atOnce].flatMap((file) => Object.keys(metafile.outputs[file]?.inputs ?? {}));
    expect(inputs.filter((file) => /sign-in\/(routes|provider)|client-s3|client-secrets-manager/.test(file))).toEqual(
      [],
    );
  });
});
