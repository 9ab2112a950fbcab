/** The files that `codec-server init` writes; the walk installs and uses them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { init } from '../../cli/init.ts';
import { checkDeployment } from '../../config/checks/deployment.ts';
import { CONFIG_VERSION } from '../../config/schema.ts';
import dev from '../../environments/dev.ts';
import { TestCommandIo } from '../support/command-io.ts';

const { version, devDependencies: ours } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const folder = mkdtempSync(join(tmpdir(), 'codec-server-init-'));
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

describe('a starter', () => {
  beforeAll(async () => {
    expect(await init([], new TestCommandIo({ cwd: folder }))).toBe(0);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('is what a repository needs, and nothing else', () => {
    expect(readdirSync(folder).sort()).toEqual(
      ['.gitignore', 'README.md', 'bin', 'cdk.json', 'environments', 'package.json'].sort(),
    );
  });

  it.each(['dev', 'prod'])('has the environment %s of this repository, with the form that it is written in', (name) => {
    const ours = readFileSync(new URL(`../../environments/${name}.ts`, import.meta.url), 'utf8').split('\n');
    const theirs = read(`environments/${name}.ts`).split('\n');
    expect(theirs.filter((line) => !ours.includes(line))).toEqual([
      "import type { EnvironmentConfig } from 'temporal-codec-server/config';",
      `  version: ${CONFIG_VERSION},`,
    ]);
    expect(theirs).toHaveLength(ours.length + 1);
    expect(checkDeployment({ ...dev, version: CONFIG_VERSION })).toEqual([]);
  });

  it('asks for the release that wrote it, and for the CDK that this release is tested with', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json'));
    expect(dependencies['temporal-codec-server']).toBe(`^${version}`);
    for (const name of ['aws-cdk-lib', 'constructs', 'aws-cdk', 'node'])
      expect({ ...dependencies, ...devDependencies }[name]).toBe(`^${ours[name]}`);
  });
});
