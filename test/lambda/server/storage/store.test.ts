import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { S3StandIn, type S3Trouble } from '../../../support/s3-stand-in.ts';
import {
  BUCKET,
  FROM_BROWSER,
  type JsonPayload,
  ORDERS,
  PAYROLL,
  plain,
  SHARED,
  StorageServer,
  type StorageServerOptions,
} from '../../../support/storage-server.ts';

const WRITES = { ...SHARED, write: true };
const LARGE = plain('x'.repeat(2_000));
const SMALL = plain('small');

let s3: S3StandIn;
let server: StorageServer;
const closing: (() => void)[] = [];

beforeEach(async () => {
  s3 = await S3StandIn.start();
  server = serverWith({ buckets: [WRITES] });
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await s3.close();
});

function serverWith(options: Partial<StorageServerOptions>): StorageServer {
  const made = new StorageServer({ s3: s3.client, ...options });
  closing.push(made.close);
  return made;
}

const text = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString();
const encodingsOf = (payloads: readonly JsonPayload[]) => payloads.map(({ metadata }) => text(metadata['encoding']));
const OURS = 'binary/aws-encryption-sdk';
const REFERENCE = 'json/protobuf';

describe('/encode with a bucket that writes', () => {
  it('stores what is large for a person in a browser, encrypted, under a key of the namespace', async () => {
    const { payloads } = await server.send('encode', [LARGE, SMALL], { headers: FROM_BROWSER });
    expect(encodingsOf(payloads)).toEqual([REFERENCE, OURS]);
    expect(server.outcomes).toEqual({ stored: 1, encoded: 1 });
    const [[name, bytes] = ['', Buffer.alloc(0)]] = [...s3.objects];
    const { driverName, claimData } = JSON.parse(text(payloads[0]?.data));
    expect(driverName).toBe('aws.s3driver');
    expect(claimData).toEqual({
      bucket: BUCKET,
      key: `v0/ns/${ORDERS}/d/sha256/${claimData.hash_value}`,
      hash_algorithm: 'sha256',
      hash_value: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(name).toBe(`${BUCKET}/${claimData.key}`);
    expect(payloads[0]?.externalPayloads).toEqual([{ sizeBytes: String(bytes.length) }]);
    expect(bytes.toString('latin1')).not.toContain('xxxx');
    expect((await server.send('download', [payloads[0]], { who: 'reader' })).payloads).toEqual([LARGE]);
    expect((await server.send('decode', payloads)).payloads).toEqual([LARGE, SMALL]);
  });

  it('never stores for a service token, which is what a worker’s remote codec has, nor for a caller without Origin', async () => {
    for (const sender of [{ who: 'worker' }, { who: 'worker', headers: FROM_BROWSER }, { who: 'writer' }] as const) {
      const { payloads } = await server.send('encode', [LARGE], sender);
      expect(encodingsOf(payloads)).toEqual([OURS]);
    }
    expect(s3.calls).toEqual([]);
  });

  it('stores from the size on that is set, counted after encoding', async () => {
    const [encoded] = (await server.send('encode', [LARGE])).payloads as [JsonPayload];
    const bytes = Buffer.from(encoded.data, 'base64').length + 'encoding'.length + OURS.length + 9;
    for (const [storeFromBytes, encoding] of [
      [bytes + 20, OURS],
      [bytes - 20, REFERENCE],
    ] as const) {
      const it = serverWith({ buckets: [WRITES], storeFromBytes });
      expect(encodingsOf((await it.send('encode', [LARGE], { headers: FROM_BROWSER })).payloads)).toEqual([encoding]);
    }
  });

  it('stores nothing of a namespace that no bucket writes, and nothing for those who may not encode', async () => {
    const orders = serverWith({ buckets: [{ ...WRITES, namespaces: [ORDERS] }, SHARED] });
    const payroll = await orders.send('encode', [LARGE], { headers: FROM_BROWSER, namespace: PAYROLL });
    expect(encodingsOf(payroll.payloads)).toEqual([OURS]);
    expect((await orders.send('encode', [LARGE], { headers: FROM_BROWSER, who: 'reader' })).status).toBe(403);
    expect(s3.calls).toEqual([]);
  });

  it.each([
    [{ code: 'AccessDenied', status: 403 }, 403],
    [{ code: 'NoSuchBucket', status: 404 }, 403],
    [{ code: 'SlowDown', status: 503 }, 503],
    ['reset', 503],
  ] as [S3Trouble, number][])(
    'fails the request when S3 answers %j: nothing is half stored',
    async (trouble, status) => {
      s3.trouble = () => trouble;
      const answer = await server.send('encode', [SMALL, LARGE], { headers: FROM_BROWSER });
      expect([answer.status, answer.payloads]).toEqual([status, []]);
      expect(answer.text).not.toContain('canary');
    },
  );
});

it('/encode stores nothing where no bucket writes', async () => {
  const reads = serverWith({});
  expect(encodingsOf((await reads.send('encode', [LARGE], { headers: FROM_BROWSER })).payloads)).toEqual([OURS]);
  expect(s3.calls).toEqual([]);
});
