/**
 * The check of a whole configuration: every problem at once, each with its place and its fix. A file
 * may be plain JavaScript, or TypeScript that nobody type-checked, so nothing is taken for granted.
 */

import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { checkAccess } from './checks/access.ts';
import { checkIdentity, checkSignIn } from './checks/identity.ts';
import { checkKeys } from './checks/keys.ts';
import { checkCors, checkLimits } from './checks/requests.ts';
import { checkStorage } from './checks/storage.ts';
import type { EnvironmentConfig, Place } from './environment.ts';
import { nearest, type Problem } from './problem.ts';
import { CONFIG_VERSION } from './schema.ts';
import { checkShape } from './shape.ts';

/** A check of some fields, which relies on their form being right. */
export interface SectionCheck {
  readonly fields: readonly (keyof EnvironmentConfig)[];
  readonly check: (config: EnvironmentConfig, place: Place) => Problem[];
}

/** @param check sees no field but `fields`, so that it cannot meet one whose form is wrong */
export function section<K extends keyof EnvironmentConfig>(
  fields: readonly K[],
  check: (config: Pick<EnvironmentConfig, K>, place: Place) => Problem[],
): SectionCheck {
  return { fields, check };
}

/** What every configuration has to fulfill, wherever it runs. */
export const SECTIONS: readonly SectionCheck[] = [
  section(['cors'], checkCors),
  section(['identity'], checkIdentity),
  section(['identity', 'cors'], checkSignIn),
  section(['access', 'identity'], checkAccess),
  section(['limits'], checkLimits),
  section(['keys', 'access', 'defaultNamespace'], checkKeys),
  section(['storage'], checkStorage),
];

/** All problems of a configuration, of form and of meaning; empty when it can be used. */
export function checkConfig(config: unknown): Problem[] {
  return checkSections(config, SECTIONS);
}

/**
 * The problems of form and those that the sections find. A section whose fields have a problem of form is left out: it
 * relies on the types, and would name the same cause again.
 */
export function checkSections(config: unknown, sections: readonly SectionCheck[]): Problem[] {
  const ofForm = checkShape(config);
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return ofForm;
  const ofVersion = checkVersion(config);
  // Fields of a form that is not known would be refused one by one, with fixes that mislead.
  if (ofVersion.length > 0) return ofVersion;
  const wrong = new Set(ofForm.map(({ path }) => /^[^.[]*/.exec(path)?.[0] ?? ''));
  // A field under a misspelled name is not where a section looks for it.
  const fields = sections
    .flatMap((it) => it.fields)
    .filter((name) => (config as Partial<EnvironmentConfig>)[name] === undefined);
  for (const name of [...wrong]) wrong.add(nearest(name, fields) ?? name);
  const place = 'deployment' in config ? 'aws' : 'local';
  const sound = sections.filter(({ fields }) => !fields.some((field) => wrong.has(field)));
  return [...ofForm, ...sound.flatMap(({ check }) => check(config as EnvironmentConfig, place))];
}

/** One sentence where a file was written in a form that this release does not read. */
function checkVersion({ version }: { readonly version?: unknown }): Problem[] {
  if (typeof version !== 'number' || version === CONFIG_VERSION) return [];
  const isNewer = Number.isInteger(version) && version > CONFIG_VERSION;
  const message = isNewer
    ? `is ${version}, and this release reads configurations of version ${CONFIG_VERSION}: upgrade temporal-codec-server.`
    : `is ${version}, which never was: write ${CONFIG_VERSION}, or leave it out.`;
  return [{ path: 'version', message }];
}

// Loads a configuration file: a TypeScript or JavaScript module whose default export is the configuration.

/** A configuration file cannot be loaded; the message is one sentence with the file in it. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
}

/**
 * The default export of a configuration file, unchecked.
 *
 * @param path absolute
 * @throws ConfigFileError when there is no such file, it does not load, or has no default export
 */
export async function loadConfigFile(path: string): Promise<unknown> {
  if (!existsSync(path)) throw new ConfigFileError(`There is no configuration file ${path}.`);
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (cause) {
    const { message, stack } = cause as Error;
    const reason = message?.split('\n')[0]?.trim() || 'it throws';
    const place = placeIn(path, stack);
    throw new ConfigFileError(`The configuration file ${path} does not load: ${reason}${place}`, { cause });
  }
  if (module.default === undefined)
    throw new ConfigFileError(
      `The configuration file ${path} has no default export: end it with "export default config;".`,
    );
  return module.default;
}

/**
 * Where in the file the fault is, as Node.js says it: above the stack where TypeScript cannot be read, with
 * a caret under the column, and in a frame where the module throws. Of a syntax error in JavaScript it says nothing.
 */
function placeIn(path: string, stack = ''): string {
  const lines = stack.split('\n');
  const line = stack.startsWith(`${path}:`) ? /^:(\d+)$/.exec((lines[0] ?? '').slice(path.length))?.[1] : undefined;
  const caret = lines.find((it) => /^ *\^+$/.test(it))?.indexOf('^');
  if (line !== undefined) return caret === undefined ? ` (line ${line})` : ` (line ${line}, column ${caret + 1})`;
  const frame = lines.find((it) => it.includes(`${pathToFileURL(path).href}:`));
  const [, frameLine, column] = /:(\d+):(\d+)\)?$/.exec(frame ?? '') ?? [];
  return frameLine === undefined ? '' : ` (line ${frameLine}, column ${column})`;
}
