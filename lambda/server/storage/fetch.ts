/**
 * Fetching objects for one request: each once however often it is referred to, so many at a time, and
 * no more bytes than the request may take.
 */
import { createHash } from 'node:crypto';
import type { Semaphore } from '../../../codec/calls/turns.ts';
import { CannotOpenError, type StorageCause } from '../../../codec/errors.ts';
import { type ObjectPlace, type ObjectStore, StorageFault, StorageUnavailableError } from './object-store.ts';

/** Milliseconds before the request's deadline at which a fetch is given up, so that the answer still gets out. */
const MARGIN_MS = 250;

export interface FetchLimits {
  /** Bytes of one object. */
  readonly objectBytes: number;
  /** Bytes of all objects of the request. */
  readonly requestBytes: number;
}

/** Fetches the objects of one request. */
export class RequestFetch {
  readonly #store: ObjectStore;
  readonly #semaphore: Semaphore;
  readonly #objectBytes: number;
  readonly #deadline: number;
  readonly #fetched = new Map<string, Promise<Uint8Array>>();
  #left: number;

  /** @param semaphore shared by all requests; @param deadline milliseconds of `Date.now()` */
  constructor(store: ObjectStore, semaphore: Semaphore, limits: FetchLimits, deadline: number) {
    this.#store = store;
    this.#semaphore = semaphore;
    this.#objectBytes = limits.objectBytes;
    this.#left = limits.requestBytes;
    this.#deadline = deadline;
  }

  /**
   * The bytes of an object, which are what the hash says. Others may hold the same bytes: they are
   * read, never written.
   *
   * @throws CannotOpenError when there is no such object, or it is not that
   * @throws StorageUnavailableError when S3 may answer in a moment
   */
  object(place: ObjectPlace, sha256: string): Promise<Uint8Array> {
    const name = `${place.bucket}/${place.key}`;
    let object = this.#fetched.get(name);
    if (object === undefined) {
      object = this.#semaphore.run(() => this.#fetch(place, sha256));
      this.#fetched.set(name, object);
    }
    return object;
  }

  async #fetch(place: ObjectPlace, sha256: string): Promise<Uint8Array> {
    const bytes = await this.#get(place);
    if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
    throw new CannotOpenError('object-altered', 'the SHA-256 of the object is not that of the reference');
  }

  async #get(place: ObjectPlace): Promise<Uint8Array> {
    const time = this.#deadline - Date.now() - MARGIN_MS;
    if (time <= 0) throw new StorageUnavailableError('timed-out');
    try {
      return await this.#store.get(place, (bytes) => this.#admit(bytes), AbortSignal.timeout(time));
    } catch (error) {
      throw error instanceof StorageFault ? meaningOf(error) : error;
    }
  }

  #admit(bytes: number): boolean {
    if (bytes > this.#objectBytes || bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}

/** What a fault means for whoever reads. */
function meaningOf({ kind, message }: StorageFault): CannotOpenError | StorageUnavailableError {
  switch (kind) {
    case 'missing':
      return closed('object-missing', message);
    case 'access-denied':
      return closed('object-access-denied', message);
    case 'not-admitted':
      return closed('object-too-large', message);
    case 'throttled':
    case 'unreachable':
    case 'timed-out':
      return new StorageUnavailableError(kind);
  }
}

function closed(cause: StorageCause, message: string): CannotOpenError {
  return new CannotOpenError(cause, message);
}
