/** What releases promise each other: upgrades replace nothing, and configurations go on being accepted. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { checkDeployment } from '../../config/checks/deployment.ts';
import type { EnvironmentConfig } from '../../config/environment.ts';
import { CONFIG_VERSION } from '../../config/schema.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';
import { FROZEN_ENVIRONMENTS } from './environments.ts';
import { breaksBetween, type LastingTemplate, lastingOf } from './lasting.ts';
import {
  DEPARTED,
  type FrozenEnvironment,
  frozenEnvironments,
  frozenVersions,
  mayBreak,
  REFUSED_SINCE,
} from './releases.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const lastingNow = (config: EnvironmentConfig, name: string) =>
  lastingOf(new SynthesizedTemplate(config, name).template.toJSON() as { Resources: unknown });

describe.each(frozenVersions())('what release %s deployed', (released) => {
  it.each(frozenEnvironments(released))('is upgraded without replacing anything: %s', (file, { config, template }) => {
    const { name } = FROZEN_ENVIRONMENTS[file] ?? { name: file };
    const mend = REFUSED_SINCE[released]?.[file]?.mend ?? ((it: EnvironmentConfig) => it);
    const breaks = breaksBetween(template, lastingNow(mend(config as EnvironmentConfig), name));
    // What replaces a resource, or changes a stored byte, is a major release.
    if (!mayBreak(released, version)) expect(breaks.filter((it) => !DEPARTED[released]?.[it])).toEqual([]);
  });

  it.each(frozenEnvironments(released))(
    'was configured by what is accepted today, or refused with its fix: %s',
    (file, { config }) => {
      const refused = REFUSED_SINCE[released]?.[file];
      const problems = checkDeployment(config as EnvironmentConfig);
      expect(checkDeployment({ ...(config as EnvironmentConfig), version: CONFIG_VERSION })).toEqual(problems);
      expect(problems.map(({ path }) => path)).toEqual(refused?.paths ?? []);
      if (refused !== undefined) expect(checkDeployment(refused.mend(config as EnvironmentConfig))).toEqual([]);
    },
  );
});

describe('an upgrade', () => {
  const [[, { template }]] = frozenEnvironments('0.1.0') as [[string, FrozenEnvironment]];
  const [id = ''] = Object.keys(template.resources);

  it('is seen to break when a resource is gone, another, or made anew', () => {
    const { [id]: first, ...others } = template.resources;
    expect(breaksBetween(template, { ...template, resources: others })).toEqual([`${id} (${first?.type}) is gone`]);
    const renamed: LastingTemplate['resources'] = {
      ...template.resources,
      [id]: { type: first?.type ?? '', properties: { Name: 'another' } },
    };
    expect(breaksBetween(template, { ...template, resources: renamed })).not.toEqual([]);
    const given: LastingTemplate['resources'] = { [id]: { type: first?.type ?? '', deletionPolicy: 'Retain' } };
    expect(breaksBetween({ resources: given, outputs: [] }, template)).toEqual([
      `${id} (${first?.type}) is kept no longer`,
    ]);
    expect(breaksBetween(template, { ...template, outputs: [] })).toContain('output CodecEndpoint is gone');
    expect(breaksBetween(template, template)).toEqual([]);
  });

  it('may break with a major version only, and before 1.0.0 with a minor one', () => {
    expect(mayBreak('1.2.3', '1.3.0')).toBe(false);
    expect(mayBreak('1.2.3', '2.0.0')).toBe(true);
    expect(mayBreak('0.1.0', '0.1.7')).toBe(false);
    expect(mayBreak('0.1.0', '0.2.0')).toBe(true);
  });
});
