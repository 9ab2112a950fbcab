/**
 * S3 with its real client: the only file that knows it. One client per Region; the client's code is
 * loaded when the first is made. An endpoint other than AWS's comes from `AWS_ENDPOINT_URL_S3`, as for
 * every AWS SDK.
 */
import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { awsTimeouts, readAwsFault } from '../../../codec/keys/aws-fault.ts';
import { isMultiRegion } from '../../../config/bucket.ts';
import { type ObjectPlace, type ObjectStore, StorageFault, type StorageFaultKind } from './object-store.ts';

/** Settings of the client; tests use them. */
export type S3Options = Pick<S3ClientConfig, 'credentials' | 'endpoint' | 'requestHandler'>;

/** Milliseconds. A whole body is awaited by the signal of the call instead. */
const TIMEOUT = 5000;

/** Attempts, the first included: only for what has not answered yet. */
const ATTEMPTS = 2;

const MISSING: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchBucket', 'NotFound']);

/** Connects to S3. */
export function createS3(options: S3Options = {}): ObjectStore {
  const sdk = import('./s3-client.ts');
  // Whoever calls sees the failure; until then nobody has to.
  sdk.catch(() => {});
  const clients = new Map<string, S3Client>();
  const clientFor = async ({ bucket, region }: ObjectPlace): Promise<S3Client> => {
    const { S3Client } = await sdk;
    if (isMultiRegion(bucket)) await import('./s3-multi-region.ts');
    let client = clients.get(region);
    if (client === undefined) {
      client = new S3Client({
        requestHandler: awsTimeouts(TIMEOUT),
        ...options,
        region,
        maxAttempts: ATTEMPTS,
        // The SHA-256 of the reference is checked here, whatever S3 has noted.
        responseChecksumValidation: 'WHEN_REQUIRED',
        requestChecksumCalculation: 'WHEN_REQUIRED',
      });
      clients.set(region, client);
    }
    return client;
  };
  return {
    get: (place, admit, signal) =>
      translated(async () => {
        const { GetObjectCommand } = await sdk;
        const client = await clientFor(place);
        const answer = await client.send(new GetObjectCommand(addressOf(place)), { abortSignal: signal });
        return readBody(answer, admit, signal);
      }),
    put: (place, bytes, sha256, signal) =>
      translated(async () => {
        const { PutObjectCommand } = await sdk;
        const client = await clientFor(place);
        const command = new PutObjectCommand({
          ...addressOf(place),
          Body: bytes,
          ContentLength: bytes.length,
          ContentType: 'application/octet-stream',
          ChecksumSHA256: Buffer.from(sha256).toString('base64'),
        });
        await client.send(command, { abortSignal: signal });
      }),
    close() {
      for (const client of clients.values()) client.destroy();
      clients.clear();
    },
  };
}

function addressOf({ bucket, key, owner }: ObjectPlace) {
  return { Bucket: bucket, Key: key, ...(owner === undefined ? {} : { ExpectedBucketOwner: owner }) };
}

/** Collects a body of exactly the length that was announced, and admitted. */
async function readBody(
  { Body, ContentLength }: GetObjectCommandOutput,
  admit: (bytes: number) => boolean,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stream = Body as (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined;
  if (stream === undefined || ContentLength === undefined) throw new StorageFault('unreachable', 'no length');
  // Also when nobody takes the rest: a connection that waits for its body is one less for others.
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (!admit(ContentLength)) throw new StorageFault('not-admitted', 'too large');
    const bytes = Buffer.allocUnsafeSlow(ContentLength);
    let at = 0;
    for await (const chunk of stream) {
      if (at + chunk.length > ContentLength) throw new StorageFault('unreachable', 'longer than announced');
      bytes.set(chunk, at);
      at += chunk.length;
    }
    if (at !== ContentLength) throw new StorageFault('unreachable', 'shorter than announced');
    return bytes;
  } catch (error) {
    throw signal.aborted ? new StorageFault('timed-out', 'AbortError') : error;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof StorageFault) throw error;
    const name = error instanceof Error ? error.name : '';
    if (MISSING.has(name)) throw new StorageFault('missing', name);
    const { kind, awsName } = readAwsFault(error);
    throw new StorageFault(KINDS.has(kind) ? (kind as StorageFaultKind) : 'access-denied', awsName);
  }
}

const KINDS: ReadonlySet<string> = new Set(['access-denied', 'throttled', 'unreachable', 'timed-out']);
