/** What identity asks of others, written to the log and counted in the metrics. */
import { METRICS } from '../../../config/metrics.ts';
import type { LookupObserver } from '../auth/issuer-keys.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { type ObserveSecret, observeSecrets } from './observe-secrets.ts';

/** Told when the identity provider signed nobody in; `code` is OAuth's, such as `invalid_client`. */
export type ProviderObserver = (outcome: 'unavailable' | 'refused', error: unknown, code?: string) => void;

/** Told of every question that identity asks of somebody else. */
export interface IdentityObservers {
  /** Fetches of issuer keys. */
  readonly onKeyFetch: LookupObserver;
  /** Questions to the Cloud Ops API. */
  readonly onRoleLookup: LookupObserver;
  /** Exchanges with the identity provider that failed. Requests are counted by their audit entry. */
  readonly onProvider: ProviderObserver;
  /** Readings of service tokens, session keys and the like that failed. */
  readonly observeSecret: ObserveSecret;
}

/** @param metrics undefined where nobody counts: on a developer's machine */
export function observeIdentity(logger: Logger, metrics: Metrics | undefined): IdentityObservers {
  return {
    observeSecret: observeSecrets(logger, metrics),
    onKeyFetch(outcome, error) {
      if (outcome === 'ok') return logger.debug('fetched the keys of a token issuer');
      metrics?.count(METRICS.jwksFetchFailures);
      logger.warn('the keys of a token issuer cannot be fetched', {}, error);
    },
    onRoleLookup(outcome, error) {
      if (outcome === 'ok') return logger.debug('asked Temporal Cloud for the role of a person');
      metrics?.count(METRICS.roleLookupFailures);
      logger.warn('Temporal Cloud cannot be asked for roles', {}, error);
    },
    onProvider(outcome, error, code) {
      if (outcome === 'refused') {
        // Whoever declines at the provider is no fault of the configuration.
        if (code !== 'access_denied') metrics?.count(METRICS.providerRefused);
        logger.warn('the identity provider refused an exchange', { code });
      } else logger.warn('the identity provider cannot be asked', {}, error);
    },
  };
}
