/**
 * Data keys under a keyring that a secret holds: the same document as a keyring file, read from Secrets Manager. KMS is
 * asked for nothing, so it neither enforces the namespace nor sees who reads what; the message still authenticates it.
 *
 * Each version of the secret is a key source of its own. When a new one is read, the data keys of the one before are
 * zeroed: a wrapping key that was taken out of the document opens nothing from then on, and writes nothing.
 */
import type { EncryptionContext } from '../../aws-encryption-sdk/encryption-context.ts';
import { CannotEncodeError, CannotOpenError } from '../../errors.ts';
import { createNamespaceMatcher, type NamespaceMatcher } from '../../namespace-pattern.ts';
import type { DataKey } from '../data-key.ts';
import {
  type DataKeyRequest,
  type EncryptionMaterials,
  type KeyContext,
  type KeySource,
  KMS_PROVIDER_ID,
} from '../key-source.ts';
import {
  createSecretSource,
  type SecretObserver,
  type SecretReader,
  type SecretSource,
} from '../secrets/secret-source.ts';
import { type Keyring, parseKeyring } from './keyring.ts';
import { KeyringKeySource, type KeyringKeySourceOptions } from './keyring-key-source.ts';

/** `ttlSeconds` is also how long a version of the secret counts without being read again. */
export interface KeyringSecretOptions extends KeyringKeySourceOptions {
  /** Namespaces it serves, with `*`: KMS is not there to refuse the others. */
  readonly namespaces: readonly string[];
  readonly observe?: SecretObserver | undefined;
}

export class KeyringSecretSource implements KeySource {
  readonly unwraps = ['message'] as const;
  readonly #secret: SecretSource<Keyring>;
  readonly #options: KeyringSecretOptions;
  readonly #serves: NamespaceMatcher;
  #version: { readonly keyring: Keyring; readonly keys: KeyringKeySource } | undefined;

  /** @param read reads the secret; see `secretsManagerReader` */
  constructor(read: SecretReader, options: KeyringSecretOptions) {
    const { observe, ttlSeconds, clock, namespaces } = options;
    this.#options = options;
    this.#serves = createNamespaceMatcher(namespaces);
    this.#secret = createSecretSource({
      read,
      parse: ({ current }) => parseKeyring(current),
      observe,
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(clock === undefined ? {} : { clock }),
    });
  }

  unwrap(request: DataKeyRequest, context: KeyContext): DataKey | Promise<DataKey> {
    if (
      request.kind !== 'message' ||
      request.encryptedDataKeys.every(({ providerId }) => providerId === KMS_PROVIDER_ID)
    )
      throw new CannotOpenError('unknown-key', 'a keyring opens messages of its own alone');
    const keyring = this.#secret.get();
    if (keyring instanceof Promise) return keyring.then((it) => this.#unwrap(it, request, context));
    return this.#unwrap(keyring, request, context);
  }

  materialsFor(
    encryptionContext: EncryptionContext,
    plaintextLength: number,
    context: KeyContext & { readonly namespace: string },
  ): EncryptionMaterials | Promise<EncryptionMaterials> {
    if (!this.#serves(context.namespace))
      throw new CannotEncodeError('the keyring does not serve the namespace that is to be written');
    const make = (keyring: Keyring) => this.#keysOf(keyring).materialsFor(encryptionContext, plaintextLength, context);
    const keyring = this.#secret.get();
    return keyring instanceof Promise ? keyring.then(make) : make(keyring);
  }

  /** Zeroes the data keys that are kept. */
  clear(): void {
    this.#version?.keys.clear();
    this.#version = undefined;
  }

  #unwrap(keyring: Keyring, request: DataKeyRequest, context: KeyContext): DataKey | Promise<DataKey> {
    try {
      return this.#keysOf(keyring).unwrap(request, context);
    } catch (error) {
      if (!(error instanceof CannotOpenError && error.reason === 'unknown-key')) throw error;
      const again = (fresh: Keyring): DataKey => {
        if (fresh === keyring) throw error;
        return this.#keysOf(fresh).unwrap(request, context);
      };
      const fresh = this.#secret.refresh();
      return fresh instanceof Promise ? fresh.then(again) : again(fresh);
    }
  }

  #keysOf(keyring: Keyring): KeyringKeySource {
    if (this.#version?.keyring !== keyring) {
      this.#version?.keys.clear();
      this.#version = { keyring, keys: new KeyringKeySource(keyring, this.#options) };
    }
    return this.#version.keys;
  }
}
