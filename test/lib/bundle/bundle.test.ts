import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { buildFunction } from '../../../lib/bundle/bundle.ts';
import { loadedParts } from '../../../lib/bundle/bundle-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'codec-bundle-'));
const metafile = await buildFunction(folder);
afterAll(() => rmSync(folder, { recursive: true }));

const [atStart, ...late] = loadedParts(metafile);
if (atStart === undefined) throw new Error('the function has no entry');

describe('the function that is built', () => {
  it('loads three files at the start, within a budget', () => {
    expect(atStart.files.length).toBe(3);
    expect(atStart.bytes).toBeGreaterThan(100_000);
    expect(atStart.budget).toBe(450_000);
    expect([atStart, ...late].filter(({ bytes, budget }) => bytes > budget)).toEqual([]);
  });

  it('loads at the start nothing that only some configurations use', () => {
    const started = [...atStart.inputs.keys()];
    const onlySome =
      /client-s3|checksums|client-secrets-manager|nested-clients|signature-v4a|openid-client|oauth4webapi|jose\/|sign-in\/(routes|provider|sessions)|lambda\/node\//;
    expect(started.filter((file) => onlySome.test(file))).toEqual([]);
    expect(started.filter((file) => file.includes('/client-kms/')).length).toBeGreaterThan(10);
  });

  it.each([
    ['the S3 client', 'lambda/server/storage/s3-client.ts', /client-s3\//],
    ['the client of Secrets Manager', 'codec/keys/secrets/secrets-manager-client.ts', /client-secrets-manager\//],
    ['STS', 'codec/keys/kms/sts-client.ts', /nested-clients\//],
    ['the sign-in', 'lambda/server/sign-in/open-sign-in.ts', /sign-in\/sessions\.ts/],
  ])('has %s in a part that is loaded late', (_, name, file) => {
    const part = late.find((it) => it.name === name);
    expect([...(part?.inputs.keys() ?? [])].filter((input) => file.test(input))).not.toEqual([]);
  });

  it('holds no test code, no reflection of protobuf, and no AWS SDK twice', () => {
    const inputs = Object.keys(metafile.inputs);
    const own = inputs.filter((file) => !file.includes('node_modules/') && !file.startsWith('late:'));
    expect(own.length).toBeGreaterThan(50);
    expect(
      own.filter((file) => !/^(lambda|codec|config|lib\/bundle)\/|^bin\/(prebuilt-)?function\.ts$/.test(file)),
    ).toEqual([]);
    expect(inputs.filter((file) => /node_modules\/(@temporalio\/proto|protobufjs|aws-sdk|middy)\//.test(file))).toEqual(
      [],
    );
    const cores = inputs.filter((file) => /@(smithy|aws-sdk)\/core\/package\.json$|@smithy\/core\//.test(file));
    expect(new Set(cores.map((file) => file.slice(0, file.lastIndexOf('@smithy/core')))).size).toBe(1);
  });

  it('imports nothing but its own files and what Node brings', () => {
    const { builtinModules } = process.getBuiltinModule('node:module');
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.flatMap(({ path, external }) => (external ? [path.replace(/^node:/, '')] : [])),
    );
    expect(new Set(imported.filter((path) => !builtinModules.includes(path)))).toEqual(new Set(['./kms-client.mjs']));
    expect(readdirSync(folder)).toContain('kms-client.mjs');
  });

  it('asks nothing of `require`, which it is not given', () => {
    const code = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    expect(code.filter((text) => /typeof require\b|\brequire\("node:/.test(text))).toEqual([]);
  });

  it('has no source map, which would name the folders of the machine that made it', () => {
    expect(readdirSync(folder).filter((file) => !file.endsWith('.mjs'))).toEqual([]);
  });
});
