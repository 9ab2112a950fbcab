/** The form of `bench/results/workers.json`. */
import type { Provenance } from './machine.ts';

/** Microseconds for one payload of 300 bytes, the data key in memory; medians. */
export interface Microseconds {
  readonly encode: number;
  readonly decode: number;
}

/** Calls to KMS for 1,000 payloads: written, read by another process, and read again by it. */
export interface Calls {
  readonly write: number;
  readonly read: number;
  readonly again: number;
}

/** What is measured of one library. */
export interface Measured {
  /** Beside the AES-GCM codec of the language's samples, in the same run. */
  readonly microseconds: { readonly library: Microseconds; readonly sample: Microseconds };
  readonly calls: { readonly oneDataKey: Calls; readonly manyDataKeys: Calls };
}

/** One library, and where it was measured. */
export type WorkerFigures = Provenance & Measured;

export interface WorkerBench {
  readonly languages: Readonly<Record<string, WorkerFigures>>;
}
