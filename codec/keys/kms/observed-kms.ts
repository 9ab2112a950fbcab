/** KMS with somebody who is told of every call, for metrics and the log. */
import { type Kms, KmsFault, type KmsFaultKind } from './kms-api.ts';

/** Told how a call ended: the kind of its fault, or undefined when all was well; and the milliseconds it took. */
export type KmsObserver = (fault: KmsFaultKind | undefined, durationMs: number) => void;

/** Tells `onCall` of every call that `kms` makes. */
export function observeKms(kms: Kms, onCall: KmsObserver): Kms {
  async function observed<T>(call: Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      const answer = await call;
      onCall(undefined, performance.now() - started);
      return answer;
    } catch (error) {
      if (error instanceof KmsFault) onCall(error.kind, performance.now() - started);
      throw error;
    }
  }
  return {
    decrypt: (...call) => observed(kms.decrypt(...call)),
    generateDataKey: (...call) => observed(kms.generateDataKey(...call)),
    close: () => kms.close(),
  };
}
