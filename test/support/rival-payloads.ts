/** Payloads made as each foreign producer makes them, with data keys of a KMS in memory. */
import { encryptMessage } from '../../codec/aws-encryption-sdk/writer.ts';
import type { Payload } from '../../codec/payload.ts';
import type { MemoryKms } from './memory-kms.ts';
import { payloadOf, sealAesGcm } from './payloads.ts';

type Context = ReadonlyMap<string, string>;

export class RivalPayloads {
  readonly #kms: Pick<MemoryKms, 'newDataKey'>;
  readonly #inner: Uint8Array;

  /** @param inner the serialized payload to seal */
  constructor(kms: Pick<MemoryKms, 'newDataKey'>, inner: Uint8Array) {
    this.#kms = kms;
    this.#inner = inner;
  }

  /** temporal-proxy: Go CDK keeper, key named by its URI, wrapped key as base64 text. */
  temporalProxy(arn: string, parameters = 'region=eu-central-1', context: Context = new Map()): Payload {
    const { plaintext, ciphertext } = this.#kms.newDataKey(arn, context);
    return payloadOf(
      {
        encoding: 'binary/encrypted',
        'encryption-key-id': `awskms:///${arn}?${parameters}`,
        'encryption-dek': ciphertext.toString('base64'),
      },
      sealAesGcm(plaintext, this.#inner),
    );
  }

  /** temporal-cloud-proxy: raw wrapped key, contexts of Go maps. */
  temporalCloudProxy(arn: string, namespace: string): Payload {
    const context = new Map([
      ['purpose', 'encryption-key-auth'],
      ['encryptionKeyID', arn],
      ['namespace', namespace],
    ]);
    const { plaintext, ciphertext } = this.#kms.newDataKey(arn, context);
    const aad = `{"encryptionKeyID":"${arn}","namespace":"${namespace}","purpose":"payload-auth"}`;
    return payloadOf(
      { encoding: 'binary/encrypted', 'encryption-key-id': arn, 'encrypted-data-key': ciphertext },
      sealAesGcm(plaintext, this.#inner, Buffer.from(aad)),
    );
  }

  /** The Python role-access sample: wrapped key as base64 text, nothing else. */
  pythonSample(arn: string): Payload {
    const { plaintext, ciphertext } = this.#kms.newDataKey(arn);
    return payloadOf(
      { encoding: 'binary/encrypted', data_key_encrypted: ciphertext.toString('base64') },
      sealAesGcm(plaintext, this.#inner),
    );
  }

  /** stdgo: wrapped key in front of the ciphertext. */
  stdgo(arn: string, namespace: string): Payload {
    const { plaintext, ciphertext } = this.#kms.newDataKey(arn, new Map([['namespace', namespace]]));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(ciphertext.length);
    return payloadOf(
      {
        encoding: 'binary/encrypted',
        'encryption-key-id': arn,
        'encryption-cipher': 'AES_256_GCM',
        'encryption-context-namespace': namespace,
      },
      Buffer.concat([length, ciphertext, sealAesGcm(plaintext, this.#inner)]),
    );
  }

  /** The Java KMS sample: an AWS Encryption SDK message (here of the suite without signature, which is read alike). */
  javaKmsSample(arn: string, context: Context = new Map()): Payload {
    return this.#message('awsencriptionsdk/binary/encrypted', arn, context);
  }

  /** Our own format. */
  ours(arn: string, namespace: string): Payload {
    return this.#message('binary/aws-encryption-sdk', arn, new Map([['temporal-namespace', namespace]]));
  }

  #message(encoding: string, arn: string, encryptionContext: Context): Payload {
    const { plaintext, ciphertext } = this.#kms.newDataKey(arn, encryptionContext);
    return payloadOf(
      { encoding },
      encryptMessage(this.#inner, {
        dataKey: plaintext,
        encryptedDataKeys: [{ providerId: 'aws-kms', providerInfo: Buffer.from(arn), ciphertext }],
        encryptionContext,
      }),
    );
  }
}
