/**
 * The check of a whole configuration: every problem at once, each with its place and its fix. A file
 * may be plain JavaScript, or TypeScript that nobody type-checked, so nothing is taken for granted.
 */
import { checkAccess } from './checks/access.ts';
import { checkCors } from './checks/cors.ts';
import { checkIdentity } from './checks/identity.ts';
import { checkKeys } from './checks/keys.ts';
import { checkLimits } from './checks/limits.ts';
import { checkSignIn } from './checks/sign-in.ts';
import { checkStorage } from './checks/storage.ts';
import type { EnvironmentConfig } from './environment.ts';
import type { Problem } from './problem.ts';
import { checkShape } from './shape.ts';

/** Where a configuration runs: only on AWS is there a stack, which makes keys and buckets. */
export type Place = 'local' | 'aws';

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
  const wrong = new Set(ofForm.map(({ path }) => /^[^.[]*/.exec(path)?.[0]));
  const place = 'deployment' in config ? 'aws' : 'local';
  const sound = sections.filter(({ fields }) => !fields.some((field) => wrong.has(field)));
  return [...ofForm, ...sound.flatMap(({ check }) => check(config as EnvironmentConfig, place))];
}
