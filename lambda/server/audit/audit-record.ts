/** What happens to a request, collected on its way for the audit line. */
import type { KeyUsage } from '../../../codec/keys/key-source.ts';
import type { Caller } from '../auth/caller.ts';
import type { RejectionReason } from '../auth/rejection.ts';
import type { AuditEntry } from './audit.ts';

export class AuditRecord {
  readonly usage: KeyUsage = { keyIds: new Set(), cacheHits: 0, cacheMisses: 0 };
  /** The decisions by namespace. A map: strangers choose the names, and an object would grow slow and large by them. */
  readonly namespaces = new Map<string, 'allowed' | 'denied'>();
  readonly opened = new Set<string>();
  readonly payloads: Record<string, number> = {};
  sourceAddress: string | undefined;
  operation = 'other';
  caller: Caller | undefined;
  unauthenticated: RejectionReason | undefined;
  origin: string | undefined;
  refusedOrigin = false;
  namedNamespace: string | undefined;
  fault: string | undefined;
  bulk = false;
  readonly #requestId: string;
  readonly #startedAt: number;

  /** @param startedAt milliseconds, of the clock that {@link entry} is given, too */
  constructor(requestId: string, startedAt: number) {
    this.#requestId = requestId;
    this.#startedAt = startedAt;
  }

  /** Counts payloads with an outcome. */
  count(outcome: string, payloads = 1): void {
    this.payloads[outcome] = (this.payloads[outcome] ?? 0) + payloads;
  }

  entry(status: number, now: number): AuditEntry {
    const { operation, caller, unauthenticated, origin, refusedOrigin, namedNamespace } = this;
    const { sourceAddress, namespaces, opened, payloads, fault, bulk } = this;
    const { keyIds, cacheHits, cacheMisses } = this.usage;
    return {
      requestId: this.#requestId,
      operation,
      status,
      durationMs: now - this.#startedAt,
      caller,
      unauthenticated,
      origin,
      refusedOrigin,
      sourceAddress,
      namedNamespace,
      namespaces,
      opened,
      payloads,
      keyIds: keyIds.size === 0 ? [] : [...keyIds],
      cacheHits,
      cacheMisses,
      fault,
      bulk,
    };
  }
}
