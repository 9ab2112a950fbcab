import type { App } from 'aws-cdk-lib';
import { CURRENT_VERSION_EXPIRED_FLAGS, CURRENT_VERSION_FLAG_DEFAULTS, FLAGS } from 'aws-cdk-lib/cx-api';

/**
 * Sets the feature flags of the CDK that an app leaves open to what the CDK does without them. No template changes by it,
 * and `cdk synth` does not count them at its end. What stands under `context` in `cdk.json` stays. To be called before
 * anything is put into the app.
 */
export function settleFeatureFlags(app: App): void {
  for (const flag of Object.keys(FLAGS))
    if (app.node.tryGetContext(flag) === undefined && !CURRENT_VERSION_EXPIRED_FLAGS.includes(flag))
      app.node.setContext(flag, CURRENT_VERSION_FLAG_DEFAULTS[flag] ?? false);
}
