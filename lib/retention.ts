/** What becomes of the stack's keys, secrets and logs when it goes. */
import { RemovalPolicy } from 'aws-cdk-lib';

/**
 * The removal policy of something that may outlive the stack. What a first deployment made goes with it
 * when that deployment fails: nothing was encrypted or logged yet, and a second attempt would find its
 * alias taken.
 */
export function removalPolicyOf(retain: boolean): RemovalPolicy {
  return retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
}
