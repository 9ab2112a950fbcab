/**
 * Several key sources as one: a keyring beside KMS during a migration, static keys for what was
 * written before. Each is asked in turn; one that has nothing to do with a key says so.
 */
import type { EncryptionContext } from '../aws-encryption-sdk/encryption-context.ts';
import { CannotEncodeError, CannotOpenError } from '../errors.ts';
import type { DataKey } from './data-key.ts';
import { namesWanted } from './key-names.ts';
import type { DataKeyRequest, EncryptionMaterials, KeyContext, KeySource } from './key-source.ts';

/**
 * Combines key sources.
 *
 * - Reading: the first source that unwraps the key. When none does, the error of the first that knew
 *   the key and failed, else that it is unknown. A source that cannot answer now ends the search:
 *   `KeyUnavailableError` is not a refusal.
 * - Writing: the first source that has a key to write with for the namespace, whether it can be used now or not.
 *
 * @param sources in the order in which they are asked; a single one is returned as it is
 */
export function combineKeySources(...sources: readonly [KeySource, ...KeySource[]]): KeySource {
  return sources.length === 1 ? sources[0] : new CombinedKeys(sources);
}

class CombinedKeys implements KeySource {
  readonly #sources: readonly KeySource[];
  /** Who may have a key for a request. To ask a source that refuses costs as much as opening a payload: its error. */
  readonly #byKind: Readonly<Record<DataKeyRequest['kind'], readonly KeySource[]>>;

  constructor(sources: readonly KeySource[]) {
    const whoUnwraps = (kind: DataKeyRequest['kind']) =>
      sources.filter(({ unwraps }) => unwraps?.includes(kind) ?? true);
    this.#sources = sources;
    this.#byKind = { message: whoUnwraps('message'), kms: whoUnwraps('kms'), static: whoUnwraps('static') };
  }

  unwrap(request: DataKeyRequest, context: KeyContext): DataKey | Promise<DataKey> {
    const sources = this.#byKind[request.kind];
    const [only] = sources;
    if (only === undefined) throw new CannotOpenError('unknown-key', noneOfKind(request));
    if (sources.length === 1) return only.unwrap(request, context);
    return firstOf(sources, (source) => source.unwrap(request, context), refusalToOpen);
  }

  materialsFor(
    encryptionContext: EncryptionContext,
    plaintextLength: number,
    context: KeyContext & { readonly namespace: string },
  ): EncryptionMaterials | Promise<EncryptionMaterials> {
    const ask = (source: KeySource) => source.materialsFor(encryptionContext, plaintextLength, context);
    return firstOf(this.#sources, ask, refusalToWrite);
  }
}

/** The id of a static key may be the key itself, so that it is not repeated. */
function noneOfKind(request: DataKeyRequest): string {
  if (request.kind === 'static') return 'it needs a static key, and none is configured';
  return `it names the key ${namesWanted(request)}, and no keys are configured that could be it`;
}

/** How much a refusal tells, the higher the more; undefined for an error that ends the search. */
type Weight = (error: unknown) => number | undefined;

const refusalToOpen: Weight = (error) => {
  if (!(error instanceof CannotOpenError)) return undefined;
  return error.reason === 'unknown-key' ? 0 : 1;
};

/** A key that is configured to write and is refused ends the search: what was to be under it is under no other. */
const refusalToWrite: Weight = (error) =>
  error instanceof CannotEncodeError && error.reason === undefined ? 0 : undefined;

/** The first answer, without a promise where the sources answer without one; else the refusal that tells most. */
function firstOf<T>(
  sources: readonly KeySource[],
  ask: (source: KeySource) => T | Promise<T>,
  weightOf: Weight,
): T | Promise<T> {
  let refusal: { readonly error: unknown; readonly weight: number } | undefined;
  const noteRefusal = (error: unknown): void => {
    const weight = weightOf(error);
    if (weight === undefined) throw error;
    if (refusal === undefined || weight > refusal.weight) refusal = { error, weight };
  };
  const askFrom = (start: number): T | Promise<T> => {
    for (const [index, source] of sources.entries()) {
      if (index < start) continue;
      try {
        const answer = ask(source);
        if (!(answer instanceof Promise)) return answer;
        return answer.catch((error: unknown) => {
          noteRefusal(error);
          return askFrom(index + 1);
        });
      } catch (error) {
        noteRefusal(error);
      }
    }
    throw refusal?.error;
  };
  return askFrom(0);
}
