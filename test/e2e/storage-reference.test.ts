/**
 * The storage-aware handler of Temporal's Go SDK and the codec server, asked the same. Both have the same keys and the
 * same bucket. What they answer alike is written once, what they do not is written twice, with the line of
 * docs/external-storage.md that says why: a difference that is not expected fails, and so does one that is gone.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { PayloadCodec } from '@temporalio/common';
import { deserializePayload } from '../../codec/payload.ts';
import { Moto } from '../support/moto.ts';
import { base64, type JsonPayload, keyOfWorkflow, objectOf, plain, reference } from '../support/storage-server.ts';
import { type CodecServer, startCodecServer } from './support/codec-server.ts';
import { projectRoot, suiteRoot } from './support/paths.ts';
import { type Running, start } from './support/processes.ts';
import { goPeer } from './support/tools.ts';
import { versionOfGoModule } from './support/versions.ts';

const NAMESPACE = 'orders-prod.a1b2c';
/** A namespace that nobody may read here. */
const PAYROLL = 'payroll.a1b2c';
const BUCKET = 'acme-payloads';
/** Exists, and no configuration lists it. */
const UNLISTED = 'somebody-elses';
const UI = 'http://localhost:8233';
/** From this size the Go handler stores, and so does the server. */
const STORE_FROM = 1000;

/** What is sent and recognized in answers, by name. */
type Name =
  | 'plain'
  | 'encrypted'
  | 'encrypted twice'
  | 'large'
  | 'reference'
  | 'earlier reference'
  | 'reference, encrypted'
  | 'reference to plain'
  | 'reference to encrypted twice'
  | 'reference to a reference'
  | 'reference to nothing'
  | 'reference to an altered object'
  | 'reference to a foreign key'
  | 'reference to an unlisted bucket'
  | 'reference of another driver'
  | 'reference without JSON'
  | "another namespace's"
  | "reference to another namespace's";

interface Asked {
  /** Operation and query. */
  readonly ask: string;
  /** Payloads by name, or a whole body. */
  readonly send: readonly Name[] | string;
  /** A proxy encodes behind the storage. */
  readonly proxy?: true;
  /** Sent from the Web UI's page. */
  readonly fromBrowser?: true;
  /** Status and payloads, as {@link shown}; of Go and of ours where they differ, and why. */
  readonly answer: string | { readonly go: string; readonly ours: string; readonly because: string };
}

const AROUND = '`/decode` of a reference that is encrypted around, without a codec behind the storage';
const AROUND_DOWNLOAD = '`/download` of a reference that is encrypted around';
const NOWHERE = 'a reference that leads nowhere';
const DENIED = 'a payload or an object of another namespace';
const UNLISTED_PLACE = 'a bucket that is not listed, a key that no driver makes';
const ALREADY = '`/encode` of what is encrypted already';
const STORES = '`/encode` of a large payload for a remote codec';
const PROXY = '`/encode` of a large payload, with a codec behind the storage';
const LENIENT = 'a null payload, a field that nobody knows';

const REFERENCES_THAT_LEAD_NOWHERE: readonly Name[] = [
  'reference to nothing',
  'reference to an altered object',
  'reference of another driver',
  'reference without JSON',
];
const UNLISTED_PLACES: readonly Name[] = ['reference to a foreign key', 'reference to an unlisted bucket'];
const REFERENCES: readonly Name[] = ['reference', 'earlier reference', 'reference to a reference'];

/** Payloads that come back as they are. */
const asTheyAre = (ask: string, names: readonly Name[]): Asked[] =>
  names.map((name) => ({ ask, send: [name], answer: `200 ${name}` }));
/** One payload, answered differently. */
const differently = (ask: string, name: Name, go: string, ours: string, because: string): Asked => ({
  ask,
  send: [name],
  answer: { go, ours, because },
});

const table: readonly Asked[] = [
  ...asTheyAre('decode?preserveStorageRefs=true', [
    'plain',
    ...REFERENCES,
    ...REFERENCES_THAT_LEAD_NOWHERE,
    ...UNLISTED_PLACES,
    "reference to another namespace's",
  ]),
  ...asTheyAre('decode?preserveStorageRefs=TRUE', ['reference']),
  { ask: 'decode?preserveStorageRefs=true', send: ['encrypted'], answer: '200 "secret"' },
  { ask: 'decode?preserveStorageRefs=true', send: ['reference, encrypted'], answer: '200 reference' },
  { ask: 'decode?preserveStorageRefs=true', send: ['reference, encrypted'], proxy: true, answer: '200 reference' },
  { ask: 'decode?preserveStorageRefs=true', send: ['encrypted twice'], answer: '200 "secret"' },
  differently('decode?preserveStorageRefs=true', "another namespace's", '400', "200 another namespace's", DENIED),
  {
    ask: 'decode?preserveStorageRefs=true',
    send: ['plain', 'encrypted', 'reference', 'earlier reference'],
    answer: '200 plain, "secret", reference, earlier reference',
  },

  { ask: 'decode', send: ['plain'], answer: '200 plain' },
  { ask: 'decode', send: ['encrypted'], answer: '200 "secret"' },
  { ask: 'decode', send: ['encrypted'], proxy: true, answer: '200 "secret"' },
  { ask: 'decode', send: ['reference'], answer: '200 "secret"' },
  { ask: 'decode', send: ['reference'], proxy: true, answer: '200 "secret"' },
  { ask: 'decode?preserveStorageRefs=false', send: ['reference'], answer: '200 "secret"' },
  { ask: 'decode', send: ['earlier reference'], answer: '200 "secret"' },
  { ask: 'decode', send: ['reference, encrypted'], proxy: true, answer: '200 "secret"' },
  differently('decode', 'reference, encrypted', '200 reference', '200 "secret"', AROUND),
  { ask: 'decode', send: ['reference to plain'], answer: '200 "stored as it is"' },
  { ask: 'decode', send: ['reference to a reference'], answer: '200 reference' },
  { ask: 'decode', send: ['encrypted twice'], answer: '200 "secret"' },
  { ask: 'decode', send: ['reference to encrypted twice'], answer: '200 "secret"' },
  {
    ask: 'decode',
    send: ['plain', 'encrypted', 'reference', 'earlier reference'],
    answer: '200 plain, "secret", "secret", "secret"',
  },
  {
    ask: 'decode',
    send: ['plain', 'reference to nothing', 'reference'],
    answer: { go: '400', ours: '200 plain, reference to nothing, "secret"', because: NOWHERE },
  },

  { ask: 'download', send: ['plain'], answer: '400' },
  { ask: 'download', send: ['encrypted'], answer: '400' },
  { ask: 'download', send: ['encrypted twice'], answer: '400' },
  { ask: 'download', send: ['reference', 'plain'], answer: '400' },
  { ask: 'download', send: ['reference'], answer: '200 "secret"' },
  { ask: 'download?preserveStorageRefs=true', send: ['reference'], answer: '200 "secret"' },
  { ask: 'download', send: ['reference', 'earlier reference'], answer: '200 "secret", "secret"' },
  { ask: 'download', send: ['reference to plain'], answer: '200 "stored as it is"' },
  { ask: 'download', send: ['reference to a reference'], answer: '200 reference' },
  { ask: 'download', send: ['reference to encrypted twice'], answer: '200 "secret"' },
  differently('download', 'reference, encrypted', '400', '200 "secret"', AROUND_DOWNLOAD),
  {
    ask: 'download',
    send: ['reference, encrypted'],
    proxy: true,
    answer: { go: '400', ours: '200 "secret"', because: AROUND_DOWNLOAD },
  },

  ...['decode', 'download'].flatMap((ask) => [
    ...REFERENCES_THAT_LEAD_NOWHERE.map((name) => differently(ask, name, '400', `200 ${name}`, NOWHERE)),
    ...UNLISTED_PLACES.map((name) => differently(ask, name, '200 "secret"', `200 ${name}`, UNLISTED_PLACE)),
    differently(ask, "another namespace's", '400', "200 another namespace's", DENIED),
    differently(ask, "reference to another namespace's", '400', "200 reference to another namespace's", DENIED),
    ...['', 'not JSON', '[]', '{"payloads":[{"metadata":{"encoding":"!"}}]}'].map(
      (send): Asked => ({ ask, send, answer: '400' }),
    ),
    ...['{}', '{"payloads":null}', '{"payloads":[]}'].map((send): Asked => ({ ask, send, answer: '200' })),
  ]),
  { ask: 'decode', send: '{"payloads":[{}]}', answer: '200 {}' },
  { ask: 'decode', send: '{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg"},"data":"Ingi"}]}', answer: '200 "x"' },
  { ask: 'decode', send: '{"payloads":[null]}', answer: { go: '400', ours: '200 {}', because: LENIENT } },
  { ask: 'decode', send: '{"payloads":[],"more":1}', answer: { go: '400', ours: '200', because: LENIENT } },

  { ask: 'encode', send: ['plain'], answer: '200 newly encrypted plain' },
  { ask: 'encode', send: ['reference'], answer: '200 newly encrypted reference' },
  { ask: 'encode', send: ['earlier reference'], answer: '200 newly encrypted earlier reference' },
  differently('encode', 'encrypted', '200 newly encrypted "secret"', '200 encrypted', ALREADY),
  differently('encode', 'encrypted twice', '200 newly encrypted "secret"', '200 encrypted twice', ALREADY),
  { ask: 'encode', send: ['large'], fromBrowser: true, answer: '200 stored newly encrypted large' },
  differently('encode', 'large', '200 stored newly encrypted large', '200 newly encrypted large', STORES),
  {
    ask: 'encode',
    send: ['large'],
    fromBrowser: true,
    proxy: true,
    answer: {
      go: '200 newly encrypted stored newly encrypted large',
      ours: '200 stored newly encrypted large',
      because: PROXY,
    },
  },
];

describe(`Go SDK ${versionOfGoModule(join(suiteRoot, 'peers/go/go.mod'), 'go.temporal.io/sdk')}, NewPayloadHTTPHandler over an S3 driver of the suite`, () => {
  let moto: Moto;
  let codecServer: CodecServer;
  let codec: PayloadCodec;
  let go: Running;
  let goOrigin: string;
  const known = new Map<Name, JsonPayload>();

  before(async () => {
    moto = await Moto.start();
    for (const bucket of [BUCKET, UNLISTED]) await moto.createBucket(bucket);
    codecServer = await startCodecServer({
      origins: [UI],
      config: {
        access: [
          { name: 'orders', namespaces: [NAMESPACE], people: ['anyone-on-loopback'], allow: ['decode', 'encode'] },
        ],
        storage: {
          buckets: [{ bucket: BUCKET, region: 'eu-central-1', namespaces: ['*'], write: true }],
          storeFromBytes: STORE_FROM,
        },
      },
      env: moto.environment,
    });
    codec = codecServer.workerCodec(NAMESPACE);
    const settings = [NAMESPACE, codecServer.keyringFile, moto.endpoint, BUCKET];
    go = await start(await goPeer(), ['storage', ...settings], { ready: /http:\S+(?=\n)/ });
    goOrigin = /http:\S+/.exec(go.output())?.[0] ?? '';
    await makeKnown();
  });
  after(async () => {
    await go?.stop();
    await codecServer?.stop();
    await moto?.close();
  });

  async function makeKnown(): Promise<void> {
    const encrypted = async (payload: JsonPayload, by = codec): Promise<JsonPayload> =>
      toJson((await by.encode([fromJson(payload)]))[0] ?? {});
    const stored = async (payload: JsonPayload, namespace = NAMESPACE): Promise<JsonPayload> => {
      const { bytes, sha256 } = objectOf(payload);
      const key = keyOfWorkflow(sha256, namespace);
      await moto.putObject(BUCKET, key, bytes);
      return reference(sha256, key);
    };
    /** Encrypts with all fields, as the SDK's own type has no place for the sizes of external payloads. */
    const encodedByServer = async (payload: JsonPayload): Promise<JsonPayload> => {
      const { payloads } = await ask(`${codecServer.origin}/encode`, JSON.stringify({ payloads: [payload] }));
      assert.ok(payloads[0] !== undefined);
      return payloads[0];
    };
    const secret = await encrypted(plain('secret'));
    // The Go handler encodes whatever it is given, so it is asked to encode once more.
    const twice = (await ask(`${goOrigin}/worker/encode`, JSON.stringify({ payloads: [secret] }))).payloads[0];
    assert.ok(twice !== undefined);
    const { bytes, sha256 } = objectOf(secret);
    const reached = await stored(secret);
    const current = JSON.parse(Buffer.from(reached.data, 'base64').toString()) as {
      driverName: string;
      claimData: object;
    };
    const altered = objectOf(plain('as it was'));
    await moto.putObject(BUCKET, keyOfWorkflow(altered.sha256, NAMESPACE), objectOf(plain('as it is now')).bytes);
    await moto.putObject(BUCKET, 'backups/secret', bytes);
    await moto.putObject(UNLISTED, keyOfWorkflow(sha256, NAMESPACE), bytes);
    const salary = await encrypted(plain('salary'), codecServer.workerCodec(PAYROLL));
    const gone = objectOf(plain('gone')).sha256;
    const named: Record<Name, JsonPayload> = {
      plain: plain('plain'),
      encrypted: secret,
      'encrypted twice': twice,
      large: plain('large'.repeat(STORE_FROM)),
      reference: reached,
      'earlier reference': {
        metadata: { encoding: base64('json/external-storage-reference') },
        data: base64(
          JSON.stringify({ driver_name: current.driverName, driver_claim: { claim_data: current.claimData } }),
        ),
      },
      'reference, encrypted': await encodedByServer(reached),
      'reference to plain': await stored(plain('stored as it is')),
      'reference to encrypted twice': await stored(twice),
      'reference to a reference': await stored(reached),
      'reference to nothing': reference(gone, keyOfWorkflow(gone, NAMESPACE)),
      'reference to an altered object': reference(altered.sha256, keyOfWorkflow(altered.sha256, NAMESPACE)),
      'reference to a foreign key': reference(sha256, 'backups/secret'),
      'reference to an unlisted bucket': reference(sha256, keyOfWorkflow(sha256, NAMESPACE), { bucket: UNLISTED }),
      'reference of another driver': reference(sha256, keyOfWorkflow(sha256, NAMESPACE), { driverName: 'unknown' }),
      'reference without JSON': { ...reached, data: base64('not JSON') },
      "another namespace's": salary,
      "reference to another namespace's": await stored(salary, PAYROLL),
    };
    for (const [name, payload] of Object.entries(named)) known.set(name as Name, payload);
  }

  /** A payload of an answer in words: its name, or what it says. */
  async function shown(payload: JsonPayload): Promise<string> {
    const text = sorted(payload);
    const name = [...known].find(([, it]) => sorted(it) === text)?.[0];
    if (name !== undefined) return name;
    switch (Buffer.from(payload.metadata['encoding'] ?? '', 'base64').toString()) {
      case 'json/plain':
        return Buffer.from(payload.data, 'base64').toString();
      case 'json/protobuf': {
        const { claimData } = JSON.parse(Buffer.from(payload.data, 'base64').toString());
        const { metadata, data } = deserializePayload(await moto.getObject(claimData.bucket, claimData.key));
        return `stored ${await shown(toJson({ metadata, data }))}`;
      }
      case 'binary/aws-encryption-sdk': {
        const body = JSON.stringify({ payloads: [payload] });
        const { payloads } = await ask(`${codecServer.origin}/decode?preserveStorageRefs=true`, body);
        return `newly encrypted ${await shown(payloads[0] ?? payload)}`;
      }
      default:
        return JSON.stringify({ ...payload.metadata });
    }
  }

  const described = async ({ status, payloads }: Answer): Promise<string> =>
    [status, (await Promise.all(payloads.map(shown))).join(', ')].join(' ').trim();

  for (const asked of table) {
    const { ask: operation, send, answer } = asked;
    const payloads = typeof send === 'string' ? `the body ${send || 'of no bytes'}` : send.join(' and ');
    const how = `${asked.fromBrowser ? ' from the Web UI' : ''}${asked.proxy ? ', with a codec behind the storage' : ''}`;
    const outcome = typeof answer === 'string' ? 'are answered alike' : 'differ as documented';
    it(`/${operation} of ${payloads}${how}: ${outcome}`, async () => {
      const body = typeof send === 'string' ? send : JSON.stringify({ payloads: send.map((name) => known.get(name)) });
      const headers = asked.fromBrowser ? { origin: UI } : {};
      const [theirs, ours] = await Promise.all([
        ask(`${goOrigin}/${asked.proxy ? 'proxy' : 'worker'}/${operation}`, body).then(described),
        ask(`${codecServer.origin}/${operation}`, body, headers).then(described),
      ]);
      const { go: go_, ours: ours_ } = typeof answer === 'string' ? { go: answer, ours: answer } : answer;
      assert.deepEqual({ go: theirs, ours }, { go: go_, ours: ours_ });
    });
  }

  it('differs in nothing that docs/external-storage.md does not say, and in all that it says', () => {
    const page = readFileSync(join(projectRoot, 'docs/external-storage.md'), 'utf8');
    const section = page.slice(page.indexOf("## Compared with the Go SDK's handler"));
    const rows = [...section.matchAll(/^\| ([^|]+?) \|/gm)].map(([, cell = '']) => cell).slice(1);
    const reasons = table.flatMap(({ answer }) => (typeof answer === 'string' ? [] : [answer.because]));
    assert.deepEqual([...new Set(reasons)].sort(), [...rows].sort());
  });
});

interface Answer {
  readonly status: number;
  readonly payloads: readonly JsonPayload[];
}

async function ask(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': NAMESPACE, ...headers },
    body,
  });
  const text = await answer.text();
  if (answer.status !== 200) return { status: answer.status, payloads: [] };
  const { payloads = [] } = JSON.parse(text) as { payloads?: Partial<JsonPayload>[] };
  return { status: 200, payloads: payloads.map((it) => ({ metadata: {}, data: '', ...it })) };
}

function sorted({ metadata, data, externalPayloads }: JsonPayload): string {
  return JSON.stringify([Object.entries(metadata).sort(), data, externalPayloads ?? []]);
}

function fromJson({ metadata, data }: JsonPayload) {
  const bytes = Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]);
  return { metadata: Object.fromEntries(bytes), data: Buffer.from(data, 'base64') };
}

function toJson({ metadata, data }: Awaited<ReturnType<PayloadCodec['encode']>>[number]): JsonPayload {
  const texts = Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)]);
  return { metadata: Object.fromEntries(texts), data: base64(data ?? '') };
}
