/** What releases promise each other: upgrades replace nothing, and configurations go on being accepted. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { checkDeployment } from '../../config/checks/deployment.ts';
import type { EnvironmentConfig } from '../../config/environment.ts';
import { CONFIG_VERSION } from '../../config/schema.ts';
import { type OfficialOptions, officialEncrypt, ourDecrypt } from '../support/aws-encryption-sdk.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';
import { FROZEN_ENVIRONMENTS } from './environments.ts';
import { breaksBetween, type LastingTemplate, lastingOf } from './lasting.ts';
import {
  DEPARTED,
  type FrozenEnvironment,
  frozenEnvironments,
  frozenPayloads,
  frozenVersions,
  mayBreak,
  REFUSED_SINCE,
} from './releases.ts';
import { formOf, readsCase, WRAPPING_KEY, writeCase } from './written.ts';

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

describe.each(frozenVersions())('what release %s wrote into histories', (released) => {
  const folder = mkdtempSync(join(tmpdir(), 'written-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(frozenPayloads(released))('is read for ever: %s', async (name, { payload }) => {
    expect(await readsCase(name, folder, payload)).toBe(true);
  });

  it.each(frozenPayloads(released))('is written today in the same form: %s', async (name, { payload, form }) => {
    expect(await formOf(payload)).toEqual(form);
    // What changes a stored byte is a major release, as is what replaces a resource.
    if (!mayBreak(released, version)) expect(await formOf(await writeCase(name, folder))).toEqual(form);
  });
});

describe('the form of what is written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'written-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the same each time, and another with more metadata', async () => {
    const [once, again] = [await writeCase('under a keyring', folder), await writeCase('under a keyring', folder)];
    expect(once.data).not.toBe(again.data);
    expect(await formOf(once)).toEqual(await formOf(again));
    expect(await formOf({ ...once, metadata: { ...once.metadata, more: '' } })).not.toEqual(await formOf(once));
  });

  it('is that of the official library for a short payload, and another for a header or frames that are', async () => {
    const context = { 'temporal-namespace': 'orders-prod.a1b2c' };
    const { data = '', ...rest } = await writeCase('under a keyring', folder);
    const plaintext = ourDecrypt(Buffer.from(data, 'base64'), WRAPPING_KEY);
    const official = async (options: OfficialOptions) =>
      formOf({ ...rest, data: (await officialEncrypt(plaintext, WRAPPING_KEY, options)).toString('base64') });
    const form = await formOf({ ...rest, data });
    expect(await official({ context })).toEqual(form);
    for (const options of [{ context: { ...context, more: '' } }, { context, frameLength: 32 }])
      expect(await official(options)).not.toEqual(form);
  });
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
