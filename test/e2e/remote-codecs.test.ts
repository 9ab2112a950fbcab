/** The remote codecs of the Go and Java SDKs, which have the server encode and decode for a worker. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { PayloadCodec } from '@temporalio/common';
import type { AccessRule, Operation } from '../../config/schema.ts';
import { type CodecServer, startCodecServer } from './support/codec-server.ts';
import { suiteRoot } from './support/paths.ts';
import { runOrThrow } from './support/processes.ts';
import { assertAsDocumented } from './support/protocol.ts';
import { type Exchange, type Recorder, startRecorder } from './support/recorder.ts';
import { goPeer, javaPeer } from './support/tools.ts';
import { keepTraffic } from './support/traffic.ts';
import { versionOfGoModule, versionOfMavenArtifact } from './support/versions.ts';

const NAMESPACE = 'orders-prod.a1b2c';

/** Payloads as proto3 JSON. */
interface Payloads {
  readonly payloads: readonly {
    readonly metadata: Readonly<Record<string, string>>;
    readonly data: string;
    readonly externalPayloads?: readonly { readonly sizeBytes: string }[];
  }[];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const plain = (value: unknown) => ({
  metadata: { encoding: base64('json/plain') },
  data: base64(JSON.stringify(value)),
});

/** Runs a remote codec as a program. */
type RemoteCodec = (operation: 'encode' | 'decode', endpoint: string, payloads: Payloads) => Promise<Payloads>;

const clients: {
  readonly name: string;
  readonly prepare: () => Promise<RemoteCodec>;
  /** Its line of docs/protocol.md. */
  readonly documentedAs: string;
  /** Proto3 JSON allows both names. */
  readonly externalPayloadsField: string;
}[] = [
  {
    name: `Go SDK ${versionOfGoModule(join(suiteRoot, 'peers/go/go.mod'), 'go.temporal.io/sdk')}, NewRemotePayloadCodec`,
    prepare: async () => {
      const program = await goPeer();
      return async (operation, endpoint, payloads) => {
        const input = JSON.stringify(payloads);
        return JSON.parse(await runOrThrow(program, [operation, endpoint, NAMESPACE], { input })) as Payloads;
      };
    },
    documentedAs: 'Go SDK, NewRemotePayloadCodec',
    externalPayloadsField: 'external_payloads',
  },
  {
    name: `Java SDK ${versionOfMavenArtifact(join(suiteRoot, 'peers/java/pom.xml'), 'temporal.version')}, temporal-remote-data-encoder`,
    prepare: async () => {
      const classPath = await javaPeer();
      return async (operation, endpoint, payloads) => {
        const input = JSON.stringify(payloads);
        const args = ['-cp', classPath, 'e2e.RemoteCodec', operation, endpoint];
        return JSON.parse(await runOrThrow('java', args, { input })) as Payloads;
      };
    },
    documentedAs: 'Java SDK, temporal-remote-data-encoder',
    externalPayloadsField: 'externalPayloads',
  },
];

/** A path names a namespace that a rule names. */
const machine = (...allow: Operation[]): AccessRule => ({
  name: 'this machine',
  namespaces: [NAMESPACE],
  people: ['anyone-on-loopback'],
  allow,
});

for (const { name, prepare, documentedAs, externalPayloadsField } of clients) {
  describe(name, () => {
    let codecServer: CodecServer;
    let recorder: Recorder;
    let codec: PayloadCodec;
    let remote: RemoteCodec;
    let endpoint: string;
    const recorded: Exchange[] = [];

    before(async () => {
      remote = await prepare();
      codecServer = await startCodecServer({ config: { access: [machine('decode', 'encode')] } });
      codec = codecServer.workerCodec(NAMESPACE);
      recorder = await startRecorder({ target: codecServer.origin });
      // Java names no namespace in a header, so the endpoint does.
      endpoint = `${recorder.origin}/${NAMESPACE}`;
    });
    after(async () => {
      await recorder?.stop();
      await codecServer?.stop();
    });

    it('encodes what a TypeScript worker decodes', async () => {
      const given = [plain({ card: '4000-1234' }), plain('second'), plain(null)];
      const { payloads } = await remote('encode', endpoint, { payloads: given });
      recorded.push(...recorder.take());
      assert.equal(payloads.length, 3);
      for (const { metadata, data } of payloads) {
        assert.equal(metadata['encoding'], base64('binary/aws-encryption-sdk'));
        assert.doesNotMatch(Buffer.from(data, 'base64').toString('latin1'), /4000-1234|second/);
      }
      const decoded = await codec.decode(payloads.map(fromJson));
      assert.deepEqual(decoded.map(toJson), given);
    });

    it('decodes what a TypeScript worker encodes, in order, and leaves the rest as it is', async () => {
      const given = [plain({ card: '4000-1234' }), plain('second')];
      const encoded = (await codec.encode(given.map(fromJson))).map(toJson);
      const { payloads } = await remote('decode', endpoint, { payloads: [...encoded, plain('never encoded')] });
      recorded.push(...recorder.take());
      assert.deepEqual(payloads, [...given, plain('never encoded')]);
    });

    it('gets references to external payloads back whole', async () => {
      const reference = { ...plain('reference'), externalPayloads: [{ sizeBytes: '123456' }] };
      const { payloads } = await remote('decode', endpoint, { payloads: [reference] });
      assert.deepEqual(payloads, [reference]);
      const encoded = await remote('encode', endpoint, { payloads: [reference] });
      const decoded = await remote('decode', endpoint, encoded);
      recorded.push(...recorder.take());
      assert.deepEqual(decoded.payloads, [reference]);
    });

    it('takes an empty list', async () => {
      const { payloads = [] } = await remote('decode', endpoint, { payloads: [] });
      assert.deepEqual(payloads, []);
      recorded.push(...recorder.take());
    });

    it('works with a trailing slash in the endpoint', async () => {
      const encoded = (await codec.encode([fromJson(plain('slash'))])).map(toJson);
      const { payloads } = await remote('decode', `${endpoint}/`, { payloads: encoded });
      assert.deepEqual(payloads, [plain('slash')]);
      recorded.push(...recorder.take());
    });

    it('is told when it may not encode, and never gets plain text for it', async () => {
      const readOnly = await startCodecServer({ config: { access: [machine('decode')] } });
      try {
        await assert.rejects(remote('encode', `${readOnly.origin}/${NAMESPACE}`, { payloads: [plain('secret')] }));
      } finally {
        await readOnly.stop();
      }
    });

    it('sends what the protocol page says it sends', () => {
      assert.ok(recorded.length > 0);
      keepTraffic(name, NAMESPACE, recorded);
      assert.deepEqual(assertAsDocumented(documentedAs, NAMESPACE, recorded), {
        operations: ['/decode', '/encode'],
        fields: ['data', externalPayloadsField, 'metadata'],
      });
      for (const { status } of recorded) assert.equal(status, 200);
    });
  });
}

type JsonPayload = Payloads['payloads'][number];

function fromJson({ metadata, data }: JsonPayload) {
  const bytes = Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]);
  return { metadata: Object.fromEntries(bytes), data: Buffer.from(data, 'base64') };
}

function toJson({ metadata, data }: Awaited<ReturnType<PayloadCodec['encode']>>[number]): JsonPayload {
  const texts = Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return { metadata: Object.fromEntries(texts), data: Buffer.from(data ?? []).toString('base64') };
}
