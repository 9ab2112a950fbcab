/** A codec server with external storage in this process: the pipeline, keys of its own, and an S3 to be named. */
import { createHash } from 'node:crypto';
import type { KeySource } from '../../codec/keys/key-source.ts';
import { newKeyring } from '../../codec/keys/keyring/keyring.ts';
import { KeyringKeySource } from '../../codec/keys/keyring/keyring-key-source.ts';
import { type ExternalPayloadDetails, metadataOf, type Payload, serializePayload } from '../../codec/payload.ts';
import type { CodecServerConfig, StorageBucketConfig, StorageLimits } from '../../config/schema.ts';
import local from '../../environments/local.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { type Authenticator, type Caller, UnauthenticatedError } from '../../lambda/server/auth/caller.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { type CodecPipeline, LAMBDA_LIMITS } from '../../lambda/server/http/message.ts';
import { createExternalStorage } from '../../lambda/server/storage/external-storage.ts';
import { createBuckets } from '../../lambda/server/storage/object-store.ts';
import { createS3, type S3Options } from '../../lambda/server/storage/s3.ts';
import { person, serviceToken } from './callers.ts';
import { ask, type CodecRequestParts } from './codec-request.ts';

export const ORIGIN = 'http://localhost:8233';
export const FROM_BROWSER = { origin: ORIGIN };
export const BUCKET = 'acme-payloads';
export const REGION = 'eu-central-1';
/** Everyone here may read it. */
export const ORDERS = 'orders.a1b2c';
/** Only `writer` may. */
export const PAYROLL = 'payroll.a1b2c';

/** `writer` may do everything, `reader` may decode {@link ORDERS}, `worker` may do everything, by a service token. */
const CALLERS: Readonly<Record<string, Caller>> = {
  writer: person('writer@example.com'),
  reader: person('reader@example.com'),
  worker: serviceToken('worker'),
};

const authenticator: Authenticator = {
  authenticate({ authorization }) {
    const caller = CALLERS[authorization[0] ?? ''];
    if (caller === undefined) throw new UnauthenticatedError('missing', 'no identity: send a token');
    return caller;
  },
};

/** A payload as JSON has it. */
export interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
  readonly externalPayloads?: readonly { readonly sizeBytes: string }[];
}

export interface StorageServerOptions {
  readonly s3: S3Options;
  readonly buckets?: readonly (StorageBucketConfig & { readonly region: string })[];
  readonly limits?: Partial<StorageLimits>;
  readonly answerBytes?: number;
  readonly storeFromBytes?: number;
  readonly config?: Partial<CodecServerConfig>;
}

/** Buckets of {@link StorageServer}: one for all namespaces. */
export const SHARED = { bucket: BUCKET, region: REGION, namespaces: ['*'] };

export class StorageServer {
  readonly audit: AuditEntry[] = [];
  readonly pipeline: CodecPipeline;
  readonly close: () => void;
  /** How often a data key was unwrapped. */
  unwrapped = 0;

  constructor(options: StorageServerOptions) {
    const { s3, buckets = [SHARED], limits, answerBytes = 4_500_000, storeFromBytes = 1000, config = {} } = options;
    const store = createS3(s3);
    this.close = () => store.close();
    const keys = new KeyringKeySource(newKeyring());
    this.pipeline = createCodecServer(
      {
        ...local,
        access: [
          {
            name: 'writers',
            namespaces: ['*'],
            people: [{ email: 'writer@example.com' }, { serviceToken: 'worker' }],
            allow: ['decode', 'encode'],
          },
          { name: 'readers', namespaces: [ORDERS], people: [{ email: 'reader@example.com' }], allow: ['decode'] },
        ],
        defaultNamespace: null,
        compression: null,
        ...config,
      },
      {
        keys: { source: this.#counted(keys), keyring: undefined, close: () => {} },
        authenticator,
        storage: createExternalStorage(
          {
            buckets: createBuckets(buckets),
            storeFromBytes,
            answerBytes,
            limits: { objectBytes: 1_000_000, requestBytes: 5_000_000, parallel: 8, ...limits },
          },
          store,
        ),
      },
      {
        audit: { record: (entry) => void this.audit.push(entry) },
        limits: LAMBDA_LIMITS,
        onBug: (error) => {
          throw error;
        },
      },
    );
  }

  #counted(keys: KeySource): KeySource {
    return {
      unwrap: (request, context) => {
        this.unwrapped++;
        return keys.unwrap(request, context);
      },
      materialsFor: (context, bytes, usage) => keys.materialsFor(context, bytes, usage),
    };
  }

  /** Sends payloads as `who`, and answers the status and the payloads. */
  async send(
    operation: string,
    payloads: readonly unknown[],
    { who = 'writer', namespace = ORDERS, query = '', headers = {}, deadlineMs }: CodecRequestParts & Sender = {},
  ) {
    const answer = await ask(this.pipeline, {
      path: `/${operation}`,
      query,
      headers: { authorization: who, 'x-namespace': namespace, ...headers },
      body: { payloads },
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    const sent = answer.status === 200 ? (JSON.parse(answer.body) as { payloads: JsonPayload[] }).payloads : [];
    return { status: answer.status, payloads: sent, text: answer.body, headers: answer.headers };
  }

  /** Encodes a payload for a namespace, as a worker's codec would. */
  async encoded(payload: JsonPayload, namespace = ORDERS): Promise<JsonPayload> {
    const { payloads } = await this.send('encode', [payload], { who: 'worker', namespace });
    return payloads[0] as JsonPayload;
  }

  /** The outcomes of the last request. */
  get outcomes(): Readonly<Record<string, number>> {
    return this.audit.at(-1)?.payloads ?? {};
  }
}

interface Sender {
  readonly who?: 'writer' | 'reader' | 'worker';
  readonly namespace?: string;
}

export const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');

export function plain(text: string): JsonPayload {
  return { metadata: { encoding: base64('json/plain') }, data: base64(JSON.stringify(text)) };
}

/** What a `json/plain` payload says. */
export function textOf(payload: JsonPayload | undefined): string {
  return JSON.parse(Buffer.from(payload?.data ?? '', 'base64').toString()) as string;
}

/** The bytes under which a payload is stored, and their hash. */
export function objectOf({ metadata, data, externalPayloads }: JsonPayload): { bytes: Buffer; sha256: string } {
  const texts = Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]);
  const sizes = externalPayloads?.map((it): ExternalPayloadDetails => ({ sizeBytes: BigInt(it.sizeBytes) }));
  const payload: Payload = {
    metadata: metadataOf(Object.fromEntries(texts)),
    data: Buffer.from(data, 'base64'),
    ...(sizes === undefined ? {} : { externalPayloads: sizes }),
  };
  const bytes = serializePayload(payload);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The key that a workflow of a namespace stores under; without a namespace, the drivers' fallback. */
export function keyOfWorkflow(sha256: string, namespace?: string): string {
  if (namespace === undefined) return `v0/d/sha256/${sha256}`;
  return `v0/ns/${namespace}/wt/order/wi/order-1/ri/null/d/sha256/${sha256}`;
}

/** A reference as the official drivers write it. */
export function reference(
  sha256: string,
  key: string,
  { bucket = BUCKET, driverName = 'aws.s3driver' } = {},
): JsonPayload {
  const claimData = { bucket, key, hash_algorithm: 'sha256', hash_value: sha256 };
  return {
    metadata: {
      encoding: base64('json/protobuf'),
      messageType: base64('temporal.api.sdk.v1.ExternalStorageReference'),
    },
    data: base64(JSON.stringify({ driverName, claimData })),
    externalPayloads: [{ sizeBytes: '300000' }],
  };
}
