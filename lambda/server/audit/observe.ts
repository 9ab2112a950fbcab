/** Secrets that cannot be read or used, written to the log and counted in the metrics. */

import { NO_CREDENTIALS } from '../../../codec/keys/aws-fault.ts';
import type { KmsObserver } from '../../../codec/keys/kms/kms-api.ts';
import type { SecretObserver } from '../../../codec/keys/secrets/secret-source.ts';
import { METRICS } from '../../../config/metrics.ts';
import type { LookupObserver } from '../auth/issuer-keys.ts';
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
function observeSecrets(logger: Logger, metrics: Metrics | undefined): ObserveSecret {
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

// What the keys ask of KMS, written to the log and counted in the metrics.

/** Told of every call to KMS, and of a keyring file or a secret that cannot be used. */
export interface KeyObservers {
  readonly onKmsCall: KmsObserver;
  readonly onKeyringProblem: (message: string) => void;
  readonly observeSecret: ObserveSecret;
}

/** @param metrics undefined where nobody counts: on a developer's machine */
export function observeKeys(logger: Logger, metrics: Metrics | undefined): KeyObservers {
  return {
    observeSecret: observeSecrets(logger, metrics),
    onKeyringProblem: (message) => logger.error(`the keyring stays as it was for five minutes at most: ${message}`),
    onKmsCall(fault, durationMs) {
      metrics?.count(METRICS.kmsCalls);
      metrics?.count(METRICS.kmsDuration, Math.round(durationMs));
      switch (fault) {
        case undefined:
          return;
        case 'throttled':
          metrics?.count(METRICS.kmsThrottled);
          return logger.warn('KMS throttles');
        case 'unreachable':
        case 'timed-out':
          metrics?.count(METRICS.kmsUnreachable);
          return logger.warn('KMS does not answer', { fault });
        case 'access-denied':
        case 'disabled':
          return logger.warn('KMS refuses a configured key', { fault });
        case 'no-credentials':
          return logger.warn(`KMS cannot be asked: ${NO_CREDENTIALS}`);
        case 'invalid-ciphertext':
        case 'incorrect-key':
          // Whoever may decode can send such a thing, as often as they like.
          return logger.debug('KMS does not open a data key', { fault });
      }
    },
  };
}

// What identity asks of others, written to the log and counted in the metrics.

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
