import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import type { EnvironmentConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';
import { buildFunction, PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { CodecServer } from '../../lib/codec-server.ts';
import { addEnvironments, type Environment } from '../../lib/codec-server-app.ts';
import { codecsOf, prebuiltCode, putTogether } from '../../lib/function-code.ts';
import prod from '../support/environments/prod.ts';

const folder = mkdtempSync(join(tmpdir(), 'codec-function-'));
const built = join(folder, 'built');
await buildFunction(built);
afterAll(() => rmSync(folder, { recursive: true }));

const OWN_CODECS = join(PROJECT_ROOT, 'test/deployed/support/own-codecs.ts');

interface FunctionAsset {
  readonly hash: string;
  readonly files: readonly string[];
  readonly path: (file: string) => string;
  readonly text: (file: string) => string;
}

/** The asset of the function of a stack in an assembly. */
function codeOf(outdir: string, stack: string): FunctionAsset {
  const { Resources } = JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8')) as {
    Resources: Record<string, { Properties: { Code?: { S3Key?: string } } }>;
  };
  const [key = ''] = Object.values(Resources).flatMap(({ Properties }) => Properties?.Code?.S3Key ?? []);
  const hash = key.replace('.zip', '');
  const path = (file: string): string => join(outdir, `asset.${hash}`, file);
  return { hash, files: readdirSync(path('')), path, text: (file) => readFileSync(path(file), 'utf8') };
}

/** As the app of a team does it. */
function synthesizeConstructs(
  outdir: string,
  from: string,
  environments: Record<string, EnvironmentConfig>,
  codecs?: string,
): void {
  const app = new App({ outdir, analyticsReporting: false });
  for (const [name, { deployment: _, ...config }] of Object.entries(environments)) {
    const code = prebuiltCode({ environment: name, config, restApi: false, codecs, folder: from });
    new CodecServer(new Stack(app, name), 'Default', { name, config, code, alarms: null });
  }
  app.synth();
}

/** As a clone does it. */
function synthesizeClone(outdir: string, environments: readonly Environment[]): void {
  const app = new App({ outdir, analyticsReporting: false });
  addEnvironments(app, environments, built);
  app.synth();
}

describe('the code of a function', () => {
  it('is that of its own environment where an app has several, and the same from a clone as from an app', () => {
    const clone = join(folder, 'clone');
    synthesizeClone(clone, [
      { name: 'dev', file: join(PROJECT_ROOT, 'environments/dev.ts'), config: dev },
      { name: 'prod', file: join(PROJECT_ROOT, 'test/support/environments/prod.ts'), config: prod },
    ]);
    const app = join(folder, 'app');
    synthesizeConstructs(app, built, { dev, prod });
    expect(codeOf(app, 'prod').text('config.json')).toContain('billing-prod.a1b2c');
    expect(codeOf(app, 'dev').text('config.json')).not.toContain('billing-prod.a1b2c');
    for (const name of ['dev', 'prod']) expect(codeOf(clone, `CodecServer-${name}`).hash).toBe(codeOf(app, name).hash);
  });

  it('can be read by Lambda, whatever umask the machine that deploys has', () => {
    const outdir = join(folder, 'umask');
    const before = process.umask(0o077);
    try {
      mkdirSync(outdir);
      const { deployment: _, ...config } = dev;
      putTogether(built, outdir, { environment: 'dev', config, restApi: false, codecs: codecsOf(OWN_CODECS) });
    } finally {
      process.umask(before);
    }
    const modes = readdirSync(outdir).map((file) => [file, (statSync(join(outdir, file)).mode & 0o777).toString(8)]);
    expect(modes.map(([file]) => file)).toEqual(expect.arrayContaining(['index.mjs', 'config.json', 'codecs.mjs']));
    expect(modes.filter(([, mode]) => mode !== '644')).toEqual([]);
  });

  it('has the codecs of a team beside it: of a module, or of a file that is an environment', async () => {
    const file = join(folder, 'own.ts');
    writeFileSync(
      file,
      `import codecs from ${JSON.stringify(OWN_CODECS)};\nexport default { ...${JSON.stringify(dev)}, codecs };\n`,
    );
    const { default: codecs } = await import(OWN_CODECS);
    const clone = join(folder, 'clone-with-codecs');
    synthesizeClone(clone, [{ name: 'own', file, config: { ...dev, codecs } }]);
    const app = join(folder, 'app-with-codecs');
    synthesizeConstructs(app, built, { own: dev }, codecsOf(OWN_CODECS));
    for (const code of [codeOf(clone, 'CodecServer-own'), codeOf(app, 'own')]) {
      expect(JSON.parse(code.text('config.json'))).toMatchObject({ codecs: true });
      const module = await import(pathToFileURL(code.path('codecs.mjs')).href);
      expect(module.default).toEqual([{ codec: { encode: expect.any(Function), decode: expect.any(Function) } }]);
    }
  });

  it('has one hash, whichever folder it was built in, copied to and synthesized into', async () => {
    const copyIn = (place: string): string => join(folder, 'machines', place, 'function');
    await buildFunction(copyIn('one'));
    for (const place of ['two/deeper', 'three']) cpSync(built, copyIn(place), { recursive: true });
    const hashes = ['one', 'two/deeper', 'three'].map((place) => {
      const copy = copyIn(place);
      const outdir = join(folder, 'machines', place, 'cdk.out');
      synthesizeConstructs(outdir, copy, { dev });
      return codeOf(outdir, 'dev').hash;
    });
    expect(new Set(hashes).size).toBe(1);
  });
});
