/** The files that `codec-server init` writes; the walk installs and uses them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { starterFiles } from '../../cli/init.ts';
import { checkDeployment } from '../../config/checks/deployment.ts';
import { CONFIG_VERSION } from '../../config/schema.ts';
import dev from '../../environments/dev.ts';

const files = starterFiles('1.2.3');

describe('a starter', () => {
  it.each(['dev', 'prod'])('has the environment %s of this repository, with the form that it is written in', (name) => {
    const ours = readFileSync(new URL(`../../environments/${name}.ts`, import.meta.url), 'utf8').split('\n');
    const theirs = files[`environments/${name}.ts`]?.split('\n') ?? [];
    expect(theirs.filter((line) => !ours.includes(line))).toEqual([
      "import type { EnvironmentConfig } from 'temporal-codec-server/config';",
      `  version: ${CONFIG_VERSION},`,
    ]);
    expect(theirs).toHaveLength(ours.length + 1);
    expect(checkDeployment({ ...dev, version: CONFIG_VERSION })).toEqual([]);
  });

  it('asks for the release that wrote it, and for the CDK that this release is tested with', () => {
    const { dependencies, devDependencies } = JSON.parse(files['package.json'] ?? '');
    const ours = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).devDependencies;
    expect(dependencies['temporal-codec-server']).toBe('^1.2.3');
    for (const name of ['aws-cdk-lib', 'constructs', 'aws-cdk', 'node'])
      expect({ ...dependencies, ...devDependencies }[name]).toBe(`^${ours[name]}`);
  });
});
