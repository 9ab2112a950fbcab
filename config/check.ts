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
import type { Problem } from './problem.ts';
import type { CodecServerConfig } from './schema.ts';
import { checkShape } from './shape.ts';

/** The checks of single sections, each relying on a form that is right. */
const SECTIONS: readonly ((config: CodecServerConfig) => Problem[])[] = [
  checkCors,
  checkIdentity,
  checkSignIn,
  checkAccess,
  checkLimits,
  // Only an environment that is deployed has a stack that makes keys.
  (config) => checkKeys(config, 'deployment' in config ? 'aws' : 'local'),
  (config) => checkStorage(config, 'deployment' in config ? 'aws' : 'local'),
];

/**
 * All problems of a configuration; empty when it can be used. The checks of single sections run once
 * the form is right, so that they may rely on the types.
 */
export function checkConfig(config: unknown): Problem[] {
  const problems = checkShape(config);
  if (problems.length > 0) return problems;
  return SECTIONS.flatMap((check) => check(config as CodecServerConfig));
}
