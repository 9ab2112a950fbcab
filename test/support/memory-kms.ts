/** KMS in memory: real cryptography, encryption contexts enforced, every call recorded. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { parseKeyArn } from '../../codec/keys/kms/key-arn.ts';
import { type Kms, KmsFault, type KmsKey } from '../../codec/keys/kms/kms-api.ts';

type Context = ReadonlyMap<string, string>;

export class MemoryKms implements Kms {
  readonly decrypted: { readonly arn: string; readonly context: Context }[] = [];
  readonly #masterKeys = new Map<string, Buffer>();

  /** Makes a key; answers its ARN. @param masterKey what it wraps with, where a test keeps what it wrapped */
  createKey(id: string, masterKey: Buffer = randomBytes(32)): string {
    const arn = `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
    this.#masterKeys.set(arn, masterKey);
    return arn;
  }

  /** What a producer gets from `GenerateDataKey`. */
  newDataKey(arn: string, context: Context = new Map()): { plaintext: Buffer; ciphertext: Buffer } {
    const plaintext = randomBytes(32);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#masterKey(arn), iv);
    cipher.setAAD(contextBytes(context));
    const wrapped = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return { plaintext, ciphertext: Buffer.concat([iv, wrapped, cipher.getAuthTag()]) };
  }

  async generateDataKey(key: KmsKey, context: Context) {
    return this.newDataKey(key.arn, context);
  }

  async decrypt({ arn }: KmsKey, ciphertext: Uint8Array, context: Context): Promise<Uint8Array> {
    this.decrypted.push({ arn, context });
    if (ciphertext.length < 28) throw new KmsFault('invalid-ciphertext', 'InvalidCiphertextException');
    const decipher = createDecipheriv('aes-256-gcm', this.#masterKey(arn), ciphertext.subarray(0, 12));
    decipher.setAAD(contextBytes(context));
    decipher.setAuthTag(ciphertext.subarray(-16));
    try {
      return Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()]);
    } catch {
      throw new KmsFault('invalid-ciphertext', 'InvalidCiphertextException');
    }
  }

  close(): void {}

  #masterKey(arn: string): Buffer {
    const key = this.#masterKeys.get(arn);
    if (key === undefined || parseKeyArn(arn) === undefined) throw new KmsFault('disabled', 'NotFoundException');
    return key;
  }
}

function contextBytes(context: Context): Buffer {
  return Buffer.from(JSON.stringify([...context].sort(([a], [b]) => (a < b ? -1 : 1))));
}
