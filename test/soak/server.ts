/** A server that runs and can be watched, whichever way it is run. */
import type { HttpsIssuer } from '../support/https-issuer.ts';
import type { KmsStandIn } from '../support/kms-stand-in.ts';
import type { ServerAddress } from './client.ts';

/** What a server under soak depends on; the soak plays both. */
export interface Dependencies {
  readonly issuer: HttpsIssuer;
  readonly kms: KmsStandIn;
  /** ARNs of the keys of the two namespaces. */
  readonly keys: readonly [orders: string, billing: string];
  /** File with the certificate of the issuer, PEM. */
  readonly trusted: string;
}

export interface ServerUnderSoak extends ServerAddress {
  /** What is under soak, for the report. */
  readonly name: string;
  /** Bytes of a request body above which it answers 413. */
  readonly bodyBytes: number;
  /** Requests at once that it has to serve without turning one away. */
  readonly connections: number;
  /** Requests at once, and bytes of data in each, that are more than it can work on. */
  readonly tooMuch: { readonly requests: number; readonly bytes: number };
  /** Statuses with which it turns away what it cannot take. */
  readonly refusals: readonly number[];
  /** Bytes of bodies that it holds at a time, where it reads them itself. */
  readonly holds?: number;
  /** Resident memory, MB, of its process, or of the largest of its processes. */
  residentMegabytes(): number;
  /** Forgets what is kept about it for tests, so that the soak itself does not grow. */
  tidy(): void;
  /** Ends it. @returns what went wrong inside that its answers did not show */
  stop(): Promise<readonly string[]>;
}

/** Resident memory of a process, MB; 0 when it is gone. */
export function residentMegabytesOf(readStatus: () => string): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readStatus())?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
