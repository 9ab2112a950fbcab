import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type S3Call, S3StandIn, type S3Trouble } from '../../../support/s3-stand-in.ts';
import {
  BUCKET,
  base64,
  FROM_BROWSER,
  type JsonPayload,
  keyOfWorkflow,
  ORDERS,
  objectOf,
  PAYROLL,
  plain,
  REGION,
  reference,
  SHARED,
  StorageServer,
  type StorageServerOptions,
  textOf,
} from '../../../support/storage-server.ts';

const GCS = JSON.parse(readFileSync('test/vectors/gcs-references.json', 'utf8')) as {
  readonly references: readonly { readonly producer: string; readonly payload: JsonPayload }[];
};

let s3: S3StandIn;
let server: StorageServer;
const closing: (() => void)[] = [];

beforeEach(async () => {
  s3 = await S3StandIn.start();
  server = serverWith({});
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

/** Puts a payload into the bucket as a worker of a namespace does, and answers the reference to it. */
function stored(payload: JsonPayload, { namespace, bucket = BUCKET }: { namespace?: string; bucket?: string } = {}) {
  const { bytes, sha256 } = objectOf(payload);
  const key = keyOfWorkflow(sha256, namespace);
  s3.objects.set(`${bucket}/${key}`, bytes);
  return reference(sha256, key, { bucket });
}

const orders = async (text: string, from = server) => stored(await from.encoded(plain(text)), { namespace: ORDERS });

describe('/decode of a reference', () => {
  it('answers what it refers to, decoded', async () => {
    const answer = await server.send('decode', [await orders('large'), plain('small')]);
    expect(answer.payloads).toEqual([plain('large'), plain('small')]);
    expect(server.outcomes).toEqual({ retrieved: 1, unchanged: 1 });
  });

  it('answers the reference itself when it is asked to, in either form and whatever the letters', async () => {
    const current = await orders('large');
    const legacy = { metadata: { encoding: base64('json/external-storage-reference') }, data: current.data };
    for (const query of ['preserveStorageRefs=true', 'preserveStorageRefs=TRUE', 'a=b&preserveStorageRefs=true'])
      expect((await server.send('decode', [current, legacy], { query })).payloads).toEqual([current, legacy]);
    expect(s3.calls).toEqual([]);
  });

  it.each(['preserveStorageRefs=false', 'preserveStorageRefs=', 'other=true'])(
    'retrieves it with the query %s',
    async (query) => {
      expect((await server.send('decode', [await orders('large')], { query })).payloads).toEqual([plain('large')]);
    },
  );

  it.each(GCS.references)(
    'explains that what $producer stored is in GCS, encrypted around or not',
    async ({ payload }) => {
      const explained = await server.send('decode', [payload, await server.encoded(payload)], {
        headers: FROM_BROWSER,
      });
      for (const answer of explained.payloads)
        expect(textOf(answer)).toMatch(/is in GCS .*which this server does not read/);
      expect(server.outcomes).toEqual({ 'storage-not-read': 2 });
      const downloaded = await server.send('download', [payload], { headers: FROM_BROWSER });
      expect(textOf(downloaded.payloads[0])).toMatch(/is in GCS/);
      const query = 'preserveStorageRefs=true';
      expect((await server.send('decode', [payload], { query, headers: FROM_BROWSER })).payloads).toEqual([payload]);
      expect(s3.calls).toEqual([]);
    },
  );

  it('opens what a proxy encoded around the reference, and keeps the inside when it is asked to', async () => {
    const inner = await orders('large');
    const sealed = await server.encoded(inner);
    expect((await server.send('decode', [sealed])).payloads).toEqual([plain('large')]);
    const preserved = await server.send('decode', [sealed], { query: 'preserveStorageRefs=true' });
    expect(preserved.payloads).toEqual([inner]);
  });

  it('answers an object that is plain, when its key says whose it is', async () => {
    const answer = await server.send('decode', [stored(plain('plain'), { namespace: ORDERS })], { who: 'reader' });
    expect(answer.payloads).toEqual([plain('plain')]);
  });

  it('answers an object that is a reference as a reference, as the SDKs do', async () => {
    const inner = await orders('large');
    const outer = stored(inner, { namespace: ORDERS });
    expect((await server.send('decode', [outer])).payloads).toEqual([inner]);
  });

  it('reads an object once that is referred to twice', async () => {
    const twice = await orders('large');
    expect((await server.send('decode', [twice, twice])).payloads).toEqual([plain('large'), plain('large')]);
    expect(s3.calls).toHaveLength(1);
  });

  it('tells S3 which account must own the bucket, where that is said', async () => {
    const owned = serverWith({ buckets: [{ ...SHARED, owner: '111122223333' }] });
    await owned.send('decode', [await orders('large', owned)]);
    expect(s3.calls.map(({ owner }) => owner)).toEqual(['111122223333']);
  });
});

describe('/download', () => {
  it('answers what references refer to, encrypted around or not, whatever the query says', async () => {
    const inner = await orders('large');
    const sealed = await server.encoded(inner);
    const answer = await server.send('download', [inner, sealed], { query: 'preserveStorageRefs=true' });
    expect(answer.payloads).toEqual([plain('large'), plain('large')]);
    expect(server.audit.at(-1)?.operation).toBe('download');
  });

  it('refuses what is not a reference', async () => {
    const answer = await server.send('download', [await orders('large'), plain('small')]);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('only references')]);
    expect(s3.calls).toEqual([]);
  });

  it('asks who calls', async () => {
    const answer = await server.send('download', [await orders('large')], { headers: { authorization: 'nobody' } });
    expect(answer.status).toBe(401);
    expect(s3.calls).toEqual([]);
  });
});

describe('what a caller may not read', () => {
  it.each([
    ['the key says so', PAYROLL, ORDERS],
    ['nothing else says so', undefined, PAYROLL],
  ] as const)('is not fetched when %s', async (_, ofKey, named) => {
    const secret = stored(
      await server.encoded(plain('salary'), PAYROLL),
      ofKey === undefined ? {} : { namespace: ofKey },
    );
    const answer = await server.send('decode', [secret], { who: 'reader', namespace: named });
    expect(answer.payloads).toEqual([secret]);
    expect(server.outcomes).toEqual({ denied: 1 });
    expect(s3.calls).toEqual([]);
  });

  it('is not fetched when the encryption around the reference is of a namespace of others', async () => {
    const sealed = await server.encoded(await orders('large'), PAYROLL);
    const before = server.unwrapped;
    expect((await server.send('decode', [sealed], { who: 'reader' })).payloads).toEqual([sealed]);
    expect(server.outcomes).toEqual({ denied: 1 });
    expect([s3.calls, server.unwrapped]).toEqual([[], before]);
  });

  it('is not opened when the object is of another namespace than its key says, nor is a key touched', async () => {
    const moved = stored(await server.encoded(plain('salary'), PAYROLL), { namespace: ORDERS });
    const before = server.unwrapped;
    const answer = await server.send('decode', [moved], { who: 'reader', headers: FROM_BROWSER });
    expect(textOf(answer.payloads[0])).toContain(`may not decode payloads of the namespace ${PAYROLL}`);
    expect(server.audit.at(-1)?.namespaces).toEqual(
      new Map([
        [ORDERS, 'allowed'],
        [PAYROLL, 'denied'],
      ]),
    );
    expect(server.unwrapped).toBe(before);
  });

  it('is not shown when it is plain in a shared bucket and only the caller says whose it is', async () => {
    const salary = stored(plain('salary'));
    expect((await server.send('decode', [salary], { who: 'reader' })).payloads).toEqual([salary]);
    expect(server.outcomes).toEqual({ 'object-unbound': 1 });
    const compressed = stored({
      metadata: { encoding: base64('binary/zlib') },
      data: base64(deflateSync(objectOf(plain('salary')).bytes)),
    });
    expect((await server.send('decode', [compressed], { who: 'reader' })).payloads).toEqual([compressed]);
  });

  it('is not shown either where a codec of the configuration applies, which proves no namespace', async () => {
    const codec = { encode: (payloads: unknown) => payloads, decode: (payloads: unknown) => payloads };
    const custom = serverWith({ config: { codecs: [{ namespaces: ['*'], codec }] } } as object);
    const salary = stored(plain('salary'));
    expect((await custom.send('decode', [salary], { who: 'reader' })).payloads).toEqual([salary]);
    expect(custom.outcomes).toEqual({ 'object-unbound': 1 });
  });

  it('is shown when the bucket is of that namespace alone', async () => {
    const own = serverWith({ buckets: [{ ...SHARED, namespaces: [ORDERS] }] });
    expect((await own.send('decode', [stored(plain('mine'))], { who: 'reader' })).payloads).toEqual([plain('mine')]);
  });
});

describe('a reference that leads nowhere', () => {
  const outcomeOf = async (payload: JsonPayload, from = server) => {
    const answer = await from.send('decode', [payload]);
    expect([answer.status, answer.payloads]).toEqual([200, [payload]]);
    const inBrowser = await from.send('download', [payload], { headers: FROM_BROWSER });
    expect(textOf(inBrowser.payloads[0])).toMatch(/^Codec server: this payload cannot be opened \(request [^ ]+\)$/);
    return Object.keys(from.outcomes);
  };
  const troubled = (trouble: S3Trouble) => {
    s3.trouble = () => trouble;
  };

  it('since there is no such object', async () => {
    const gone = await orders('large');
    s3.objects.clear();
    expect(await outcomeOf(gone)).toEqual(['object-missing']);
  });

  it.each(['NoSuchBucket', 'NoSuchKey'])('since S3 says %s', async (code) => {
    const payload = await orders('large');
    troubled({ code, status: 404 });
    expect(await outcomeOf(payload)).toEqual(['object-missing']);
  });

  it.each([
    ['AccessDenied', 403],
    ['InvalidObjectState', 403],
    ['AllAccessDisabled', 403],
  ])('since S3 says %s', async (code, status) => {
    const payload = await orders('large');
    troubled({ code, status });
    expect(await outcomeOf(payload)).toEqual(['object-access-denied']);
  });

  it('since the object was altered', async () => {
    const payload = await orders('large');
    for (const [name, bytes] of s3.objects) {
      const altered = Buffer.from(bytes);
      altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
      s3.objects.set(name, altered);
    }
    const before = server.unwrapped;
    expect(await outcomeOf(payload)).toEqual(['object-altered']);
    expect(server.unwrapped).toBe(before);
  });

  it('since its bucket is not listed, or not for the namespace, or for another driver', async () => {
    const listed = serverWith({
      buckets: [
        { ...SHARED, namespaces: [PAYROLL] },
        { bucket: 'other', region: REGION, namespaces: ['*'], driverNames: ['mine'] },
      ],
    });
    const payload = await listed.encoded(plain('large'));
    for (const bucket of ['nobodys', BUCKET, 'other']) {
      expect(await outcomeOf(stored(payload, { namespace: ORDERS, bucket }), listed)).toEqual(['storage-not-listed']);
    }
    expect(s3.calls).toEqual([]);
  });

  it('since its key is none that a driver makes', async () => {
    const { sha256 } = objectOf(await server.encoded(plain('large')));
    for (const key of ['reports/2026.csv', `v0/ns/../d/sha256/${sha256}`, `v0/d/sha256/${'0'.repeat(64)}`])
      expect(await outcomeOf(reference(sha256, key))).toEqual(['reference-malformed']);
    expect(s3.calls).toEqual([]);
  });

  it('since the object is not a payload', async () => {
    const { createHash } = await import('node:crypto');
    const bytes = Buffer.from('not protobuf');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const key = keyOfWorkflow(sha256, ORDERS);
    s3.objects.set(`${BUCKET}/${key}`, bytes);
    expect(await outcomeOf(reference(sha256, key))).toEqual(['malformed']);
  });

  it('since what is in it cannot be opened', async () => {
    const broken = { ...(await server.encoded(plain('large'))), data: base64('no message') };
    expect(await outcomeOf(stored(broken, { namespace: ORDERS }))).toEqual(['malformed']);
  });

  it('costs that payload alone', async () => {
    const gone = await orders('gone');
    s3.objects.clear();
    const answer = await server.send('decode', [gone, await orders('here')]);
    expect(answer.payloads).toEqual([gone, plain('here')]);
    expect(server.outcomes).toEqual({ 'object-missing': 1, retrieved: 1 });
  });

  it('fails the request where the configuration says so', async () => {
    const strict = serverWith({ config: { failures: 'reject' } });
    const gone = await orders('gone', strict);
    s3.objects.clear();
    expect((await strict.send('download', [gone])).status).toBe(422);
  });
});

describe('what is too large', () => {
  const TEXT = 'x'.repeat(50_000);
  const tooLarge = async (limited: StorageServer, ...payloads: JsonPayload[]) => {
    const answer = await limited.send('download', payloads, { headers: FROM_BROWSER });
    return answer.payloads.map((payload) =>
      textOf(payload).startsWith('Codec server: this payload is in external storage and too large')
        ? 'too large'
        : 'shown',
    );
  };

  it('as an object is not read, and the person is told', async () => {
    const limited = serverWith({ limits: { objectBytes: 49_000 } });
    expect(await tooLarge(limited, await orders(TEXT, limited), await orders('x', limited))).toEqual([
      'too large',
      'shown',
    ]);
    expect(limited.outcomes).toEqual({ 'object-too-large': 1, retrieved: 1 });
  });

  it('together for a request is not read further', async () => {
    const limited = serverWith({ limits: { requestBytes: 120_000 } });
    const payloads = await Promise.all(['a', 'b', 'c'].map((it) => orders(it + TEXT, limited)));
    expect((await tooLarge(limited, ...payloads)).filter((it) => it === 'shown')).toHaveLength(2);
  });

  it('together for an answer is not shown, and what comes before it is', async () => {
    const limited = serverWith({ answerBytes: 120_000 });
    const payloads = await Promise.all(['a', 'b', 'c'].map((it) => orders(it + TEXT, limited)));
    expect(await tooLarge(limited, ...payloads)).toEqual(['shown', 'shown', 'too large']);
    const worker = await limited.send('download', payloads, { who: 'worker' });
    expect(worker.payloads[2]).toEqual(payloads[2]);
  });

  it('when it is inflated is not shown', async () => {
    const limited = serverWith({ answerBytes: 30_000 });
    const inner = objectOf(plain(TEXT)).bytes;
    const zlib = { metadata: { encoding: base64('binary/zlib') }, data: base64(deflateSync(inner)) };
    expect(await tooLarge(limited, stored(await limited.encoded(zlib), { namespace: ORDERS }))).toEqual(['too large']);
  });
});

describe('an S3 that does not answer', () => {
  it.each(['reset', 'cut', { code: 'SlowDown', status: 503 }, { code: 'InternalError', status: 500 }] as S3Trouble[])(
    '(%j) makes the request one to be repeated',
    async (trouble) => {
      const payload = await orders('large');
      s3.trouble = () => trouble;
      const answer = await server.send('download', [payload], { headers: FROM_BROWSER });
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(answer.text).not.toContain('canary');
      expect(server.audit.at(-1)?.fault).toMatch(/^s3:(throttled|unreachable)$/);
    },
  );

  it.each(['hang', 'half'] as S3Trouble[])('(%s) is given up before the deadline', async (trouble) => {
    const payload = await orders('large');
    s3.trouble = () => trouble;
    const answer = await server.send('download', [payload], { deadlineMs: 2_000 });
    expect(answer.status).toBe(503);
    expect(server.audit.at(-1)?.fault).toBe('s3:timed-out');
  });

  it('for a moment only is asked again', async () => {
    const payload = await orders('large');
    s3.trouble = () => (s3.calls.length === 1 ? { code: 'SlowDown', status: 503 } : 'ok');
    expect((await server.send('download', [payload])).payloads).toEqual([plain('large')]);
  });

  it('is asked for so many objects at a time, whatever the number of requests', async () => {
    const narrow = serverWith({ limits: { parallel: 3 } });
    const payloads = await Promise.all(Array.from({ length: 10 }, (_, index) => orders(`large ${index}`, narrow)));
    s3.together = 3;
    const answers = await Promise.all([narrow.send('download', payloads), narrow.send('download', payloads)]);
    for (const answer of answers) expect(answer.payloads.map(textOf)).toEqual(payloads.map((_, i) => `large ${i}`));
    expect(s3.mostAtOnce).toBe(3);
  });

  it('never sees anything but reading', async () => {
    await server.send('download', [await orders('large')]);
    expect(s3.calls.map(({ method }: S3Call) => method)).toEqual(['GET']);
  });
});
