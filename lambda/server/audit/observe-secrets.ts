/** Secrets that cannot be read or used, written to the log and counted in the metrics. */
import type { SecretObserver } from '../../../codec/keys/secrets/secret-source.ts';
import { METRICS } from '../../../config/metrics.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** Makes the observer of one secret. @param secret what it holds, such as `service tokens` */
export type ObserveSecret = (secret: string) => SecretObserver;

/**
 * Every reading that brought something unusable is counted. What is wrong is logged at once, and again only when it is
 * something else: a server that many people use asks every five seconds.
 *
 * @param metrics undefined where nobody counts: on a developer's machine
 */
export function observeSecrets(logger: Logger, metrics: Metrics | undefined): ObserveSecret {
  return (secret) => {
    let told: string | undefined;
    return (failure) => {
      if (failure === undefined) {
        told = undefined;
        logger.info('a secret can be used again', { secret });
        return;
      }
      const isUnusable = failure.reason === 'unusable';
      if (isUnusable) metrics?.count(METRICS.secretsUnusable);
      if (failure.message === told) return;
      told = failure.message;
      if (isUnusable) logger.error('a secret cannot be used', { secret }, failure);
      else logger.warn('a secret cannot be reached', { secret }, failure);
    };
  };
}
