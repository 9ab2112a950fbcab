/** What earlier releases deployed, accepted and wrote, one folder a release. `npm run release` adds the folder of a new one. */
import { readdirSync, readFileSync } from 'node:fs';
import type { EnvironmentConfig } from '../../config/environment.ts';
import type { LastingTemplate } from './lasting.ts';
import { WRITTEN, type WrittenPayload } from './written.ts';

/** What a release keeps of one environment. */
export interface FrozenEnvironment {
  /** The configuration, as that release took it. */
  readonly config: unknown;
  readonly template: LastingTemplate;
}

/** What went since a release although it lasted, by what `breaksBetween` says of it, and why nobody misses it. */
export const DEPARTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '0.1.0': {
    'DomainIpv6C43547C1 (AWS::Route53::RecordSet) is gone':
      'an HTTP API has no IPv6 address, so that this alias answered nothing',
  },
};

/** A configuration that a release took and that is refused since, because it let people read what they may not. */
export interface RefusedSince {
  /** The places that `check-config` names, in its order. */
  readonly paths: readonly string[];
  /** The fix that it names. */
  readonly mend: (config: EnvironmentConfig) => EnvironmentConfig;
}

/** By version and environment. CHANGELOG.md says each of them, with its fix. */
export const REFUSED_SINCE: Readonly<Record<string, Readonly<Record<string, RefusedSince>>>> = {
  '0.1.0': {
    full: {
      // Two issuers, either of which was believed about a domain; formats that bind nothing under a key of two entries.
      paths: ['access[0].people[0]', 'keys.kms[2].foreignFormats'],
      mend: (config) => ({
        ...config,
        access: config.access.map((rule, index) =>
          index === 0
            ? { ...rule, people: [{ emailDomain: 'example.com', issuer: 'https://login.example.com/' }] }
            : rule,
        ),
        keys: {
          ...config.keys,
          kms: (config.keys.kms ?? []).map(({ foreignFormats, ...entry }) => ({
            ...entry,
            ...(foreignFormats === undefined ? {} : { foreignFormats: ['temporal-cloud-proxy' as const] }),
          })),
        },
      }),
    },
  },
};

const FOLDER = new URL('.', import.meta.url);

/** Versions of which something is kept, the newest last. */
export function frozenVersions(): string[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** What a version keeps of each environment, by its name. */
export function frozenEnvironments(version: string): [name: string, frozen: FrozenEnvironment][] {
  const folder = new URL(`${version}/`, FOLDER);
  return readdirSync(folder)
    .filter((file) => file !== WRITTEN)
    .sort()
    .map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(new URL(file, folder), 'utf8'))]);
}

/** What a version wrote into histories, by the name of the case. */
export function frozenPayloads(version: string): [name: string, written: WrittenPayload][] {
  return Object.entries(JSON.parse(readFileSync(new URL(`${version}/${WRITTEN}`, FOLDER), 'utf8')));
}

/**
 * Whether semantic versioning lets a release after `before` break something: another major version, and before
 * 1.0.0 another minor one.
 */
export function mayBreak(before: string, after: string): boolean {
  const [oldMajor, oldMinor] = before.split('.');
  const [newMajor, newMinor] = after.split('.');
  return newMajor !== oldMajor || (newMajor === '0' && newMinor !== oldMinor);
}
