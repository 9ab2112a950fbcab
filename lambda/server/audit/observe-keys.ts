/** What the keys ask of KMS, written to the log and counted in the metrics. */
import type { KmsObserver } from '../../../codec/keys/kms/kms-api.ts';
import { METRICS } from '../../../config/metrics.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { type ObserveSecret, observeSecrets } from './observe-secrets.ts';

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
    onKeyringProblem: (message) => logger.error(`the keyring stays as it was: ${message}`),
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
        case 'invalid-ciphertext':
        case 'incorrect-key':
          // Whoever may decode can send such a thing, as often as they like.
          return logger.debug('KMS does not open a data key', { fault });
      }
    },
  };
}
