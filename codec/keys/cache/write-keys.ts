/**
 * The data keys that write, one for each namespace and encryption context. A key writes for a long
 * time: how long decides how many data keys the histories of a namespace hold, and so how often every
 * reader calls the key service. It stays proven all the same: while it is used, the key service is
 * asked again and again whether it would still unwrap it. A refusal ends it at once; a fault that may
 * pass does not, for a stated time.
 */
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { BoundedCache } from '../../bounded-cache.ts';
import type { Clock } from '../../calls/clock.ts';
import { KeyUnavailableError } from '../../errors.ts';
import type { DataKey } from '../data-key.ts';
import type {
  DataKeyProvider,
  EncryptionMaterials,
  GeneratedDataKey,
  KeyContext,
  ProviderContext,
} from '../key-source.ts';
import { WriteKey, type WriteLimits } from './write-key.ts';

/** Bounds, as in the settings of the cache. */
export interface WriteKeySettings extends WriteLimits {
  readonly maxKeys: number;
  readonly ttlSeconds: number;
  readonly writeSeconds: number;
  readonly outageSeconds: number;
}

/** The cache around it: remembers failures, and keeps keys for reading. */
export interface WriteKeyEvents {
  /** A key was made; it stays the sender's. */
  onMade(made: GeneratedDataKey, context: EncryptionContext, namespace: string, at: number): void;
  /** The key service unwrapped a key that writes; `key` is the receiver's. */
  onProven(made: GeneratedDataKey, key: DataKey, context: EncryptionContext, namespace: string, at: number): void;
  /** @throws the failure of this writer that is remembered, if any */
  throwRemembered(name: string, now: number): void;
  remember(name: string, error: unknown): void;
}

/** Who writes what. */
interface Writer {
  readonly name: string;
  readonly encryptionContext: EncryptionContext;
  readonly context: KeyContext & { readonly namespace: string };
}

type Materials = EncryptionMaterials | Promise<EncryptionMaterials>;

/** Part of the read TTL after which a key is proven again, so that its readers need not wait for that either. */
const PROOF_PART = 0.8;
/** Milliseconds between two attempts to prove a key while the key service does not answer. */
const PROOF_PAUSE = 5000;
/** Milliseconds that one of them may take. */
const PROOF_PATIENCE = 4000;

/** A key that writes. `madeAt` and `provenAt` are when the calls began; `unanswered` is whether the last one to prove it failed. */
interface Current {
  readonly key: WriteKey;
  readonly made: GeneratedDataKey;
  readonly madeAt: number;
  provenAt: number;
  proveAfter: number;
  proof: Promise<void> | undefined;
  unanswered: boolean;
}

/** The key that writes, and the one that is being made. */
class WriteSlot {
  current: Current | undefined;
  next: WriteKey | undefined;
  /** Whether the last call for a key ended in a fault that may pass. */
  faulty = false;

  retire(): void {
    this.drop();
    this.next?.retire();
    this.next = undefined;
  }

  drop(): void {
    this.current?.key.retire();
    this.current = undefined;
  }
}

export class WriteKeys {
  readonly #provider: DataKeyProvider;
  readonly #settings: WriteKeySettings;
  readonly #clock: Clock;
  readonly #events: WriteKeyEvents;
  readonly #slots: BoundedCache<WriteSlot>;
  readonly #life: number;
  readonly #ttl: number;
  readonly #outage: number;
  #closed = false;

  constructor(provider: DataKeyProvider, settings: WriteKeySettings, clock: Clock, events: WriteKeyEvents) {
    this.#provider = provider;
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
    this.#life = settings.writeSeconds * 1000;
    this.#ttl = settings.ttlSeconds * 1000;
    this.#outage = Math.max(settings.outageSeconds, settings.ttlSeconds) * 1000;
    this.#slots = new BoundedCache(settings.maxKeys, this.#life + this.#outage, (slot) => slot.retire());
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Materials for a message of some bytes. `name` is that of the writer. */
  take(name: string, encryptionContext: EncryptionContext, bytes: number, context: Writer['context']): Materials {
    const now = this.#clock.now();
    const slot = this.#slots.get(name, now);
    // A clock that was set back does not say how long ago the key was proven.
    if (slot?.current !== undefined && now < slot.current.provenAt) slot.drop();
    const current = slot?.current;
    if (slot === undefined || current === undefined || now >= current.provenAt + this.#ttl * PROOF_PART)
      return this.#takeUnproven({ name, encryptionContext, context }, bytes, slot, now);
    if (current.key.fits(bytes) && now < current.madeAt + this.#life) return this.#write(current.key, bytes, context);
    return this.#takeSpent({ name, encryptionContext, context }, bytes, slot, current, now);
  }

  sweep(now: number): void {
    this.#slots.sweep(now);
  }

  clear(): void {
    this.#slots.clear();
  }

  close(): void {
    this.#closed = true;
    this.clear();
  }

  #write(key: WriteKey, bytes: number, { usage, deadline }: Writer['context']): Materials {
    usage.cacheHits++;
    return key.take(bytes, deadline);
  }

  /** There is no key yet, or one that is to be proven: beside its use, or first where its time without a proof is over. */
  #takeUnproven(writer: Writer, bytes: number, slot: WriteSlot | undefined, now: number): Materials {
    const current = slot?.current;
    if (slot === undefined || current === undefined) return this.#takeNext(writer, bytes, slot, now);
    const proof = this.#prove(writer, slot, current, now);
    if (now < current.provenAt + (current.unanswered ? this.#outage : this.#ttl)) {
      if (current.key.fits(bytes) && now < current.madeAt + this.#life)
        return this.#write(current.key, bytes, writer.context);
      return this.#takeSpent(writer, bytes, slot, current, now);
    }
    return (proof ?? Promise.resolve()).then(() => {
      if (slot.current === current && this.#clock.now() >= current.provenAt + this.#outage)
        throw new KeyUnavailableError(
          'unreachable',
          'the key service has not answered for longer than a key writes on',
        );
      return this.take(writer.name, writer.encryptionContext, bytes, writer.context);
    });
  }

  /** The key is old, or has written as much as it may. Nobody waits for the next one unless that is needed. */
  #takeSpent(writer: Writer, bytes: number, slot: WriteSlot, current: Current, now: number): Materials {
    if (!current.key.fits(bytes) && !slot.faulty) return this.#takeNext(writer, bytes, slot, now);
    if (slot.next === undefined || slot.next.hasFrozen) this.#callUnlessFaulty(writer, slot, now);
    return this.#write(current.key, bytes, writer.context);
  }

  /** Waits for the next key. Where it does not come for a fault that may pass, the one that is there writes on. */
  #takeNext(writer: Writer, bytes: number, slot: WriteSlot | undefined, now: number): Materials {
    let next = slot?.next;
    if (next !== undefined && !next.hasFrozen && next.fits(bytes)) {
      writer.context.usage.cacheHits++;
    } else {
      this.#events.throwRemembered(writer.name, now);
      next = this.#call(writer, slot, now);
    }
    const materials = next.take(bytes, writer.context.deadline);
    if (slot?.current === undefined || !(materials instanceof Promise)) return materials;
    return materials.catch((error: unknown) => {
      if (!(error instanceof KeyUnavailableError) || slot.current === undefined) throw error;
      slot.faulty = true;
      return this.#write(slot.current.key, bytes, writer.context);
    });
  }

  #callUnlessFaulty(writer: Writer, slot: WriteSlot, now: number): void {
    try {
      this.#events.throwRemembered(writer.name, now);
    } catch (error) {
      if (error instanceof KeyUnavailableError) return;
      throw error;
    }
    this.#call(writer, slot, now);
  }

  #call(writer: Writer, known: WriteSlot | undefined, now: number): WriteKey {
    const { name, encryptionContext, context } = writer;
    const next = new WriteKey(this.#settings, this.#clock, context.deadline);
    const made = this.#provider.generate(encryptionContext, liveContext(context.namespace, next));
    context.usage.cacheMisses++;
    const slot = known ?? new WriteSlot();
    slot.next?.retire();
    slot.next = next;
    if (this.#closed) slot.retire();
    else if (known === undefined) this.#slots.set(name, slot, now);
    void this.#settle(writer, slot, next, made, now);
    return next;
  }

  async #settle(
    { name, encryptionContext, context: { namespace } }: Writer,
    slot: WriteSlot,
    next: WriteKey,
    calling: Promise<GeneratedDataKey>,
    at: number,
  ): Promise<void> {
    try {
      const made = await calling;
      next.resolve(made);
      this.#events.onMade(made, encryptionContext, namespace, at);
      if (slot.next !== next) return;
      slot.drop();
      slot.current = { key: next, made, madeAt: at, provenAt: at, proveAfter: at, proof: undefined, unanswered: false };
      slot.next = undefined;
      slot.faulty = false;
      this.#slots.extend(name, slot, at);
    } catch (error) {
      if (slot.next === next) slot.next = undefined;
      if (error instanceof KeyUnavailableError) slot.faulty = true;
      else slot.drop();
      if (slot.current === undefined && slot.next === undefined) this.#slots.remove(name, slot);
      if (!next.hasFrozen) this.#events.remember(name, error);
      next.reject(error);
    }
  }

  #prove(writer: Writer, slot: WriteSlot, current: Current, now: number): Promise<void> | undefined {
    if (current.proof !== undefined || now < current.proveAfter) return current.proof;
    current.proveAfter = now + PROOF_PAUSE;
    current.proof = this.#proveOnce(writer, slot, current, now).finally(() => {
      current.proof = undefined;
    });
    return current.proof;
  }

  async #proveOnce(
    { encryptionContext, context: { namespace } }: Writer,
    slot: WriteSlot,
    current: Current,
    now: number,
  ): Promise<void> {
    const { encryptedDataKeys } = current.made;
    try {
      const request = { kind: 'message', encryptedDataKeys, encryptionContext } as const;
      const key = await this.#provider.unwrap(request, { namespace, deadline: now + PROOF_PATIENCE });
      current.provenAt = now;
      current.unanswered = false;
      this.#events.onProven(current.made, key, encryptionContext, namespace, now);
    } catch (error) {
      // Who may write and not read is refused as well: a new key then says whether they still may.
      if (error instanceof KeyUnavailableError) {
        // A call that a frozen process slept through says nothing about the key service.
        if (this.#clock.now() <= now + 2 * PROOF_PATIENCE) current.unanswered = true;
      } else if (slot.current === current) slot.drop();
    }
  }
}

/** What a provider may know of those who wait. */
export function liveContext<N extends string | undefined>(
  namespace: N,
  waiting: { readonly deadline: number },
): ProviderContext & { readonly namespace: N } {
  return {
    namespace,
    get deadline() {
      return waiting.deadline;
    },
  };
}
