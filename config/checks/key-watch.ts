/** Which keys the stack's rule can watch, and a warning about those that it cannot. */
import type { EnvironmentConfig } from '../environment.ts';
import type { Problem } from '../problem.ts';

/** Where the stack is deployed; undefined where the configuration does not say. */
type Target = EnvironmentConfig['deployment']['target'];

/**
 * Whether an event about a key reaches the stack: AWS delivers it in the key's own account and Region.
 * A stack without a target may be anywhere, so every key counts as its own.
 */
export function isWatchable(keyArn: string, target: Target): boolean {
  if (target === null) return true;
  const [, , , region, account] = keyArn.split(':');
  return region === target.region && account === target.account;
}

/** A warning for every key that nobody would hear of when it is disabled. */
export function warnAboutKeyWatch({ keys, deployment }: EnvironmentConfig): Problem[] {
  if (deployment.alarms === null) return [];
  return (keys.kms ?? []).flatMap(({ write, read = [] }, entry) => {
    const named = [
      { path: `keys.kms[${entry}].write`, arn: write },
      ...read.map((arn, index) => ({ path: `keys.kms[${entry}].read[${index}]`, arn })),
    ];
    return named.flatMap(({ path, arn }) => {
      if (arn === null || arn === 'created-by-stack' || isWatchable(arn, deployment.target)) return [];
      const message =
        'is in another account or Region, where AWS tells of its deletion and no alarm of this stack hears it: docs/keys.md has the rule to put there.';
      return [{ path, message }];
    });
  });
}
