/** What a request leaves in the audit log, however hard somebody tries to hide what was read. */
import { deflateSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { DataKeyCache } from '../../codec/keys/cache/data-key-cache.ts';
import { KmsKeys } from '../../codec/keys/kms/kms-key-source.ts';
import { type Payload, serializePayload } from '../../codec/payload.ts';
import type { AccessRule } from '../../config/schema.ts';
import local from '../../environments/local.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { type CodecPipeline, LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { auditLine } from '../support/audit-entry.ts';
import { person } from '../support/callers.ts';
import { ask } from '../support/codec-request.ts';
import { MemoryKms } from '../support/memory-kms.ts';
import { fromJson, jsonPlain, payloadOf, toJson } from '../support/payloads.ts';
import { RivalPayloads } from '../support/rival-payloads.ts';

const READER: AccessRule = {
  name: 'reader',
  namespaces: ['orders', 'decoy-*'],
  people: [{ email: 'a@acme.com' }],
  allow: ['decode', 'encode'],
};

let kms: MemoryKms;
let key: string;
let audit: AuditEntry[];
let pipeline: CodecPipeline;

function start(fits?: (body: string | Uint8Array) => boolean): CodecPipeline {
  const source = new DataKeyCache(new KmsKeys([{ namespaces: ['*'], write: key }], { kms }));
  return createCodecServer(
    { ...local, failures: 'return-encoded', access: [READER] },
    {
      keys: { source, keyring: undefined, close: () => {} },
      authenticator: { authenticate: () => person('a@acme.com') },
    },
    {
      audit: { record: (entry) => audit.push(entry) },
      limits: LOCAL_LIMITS,
      fits,
      onBug: (error) => {
        throw error;
      },
    },
  );
}

beforeEach(() => {
  kms = new MemoryKms();
  key = kms.createKey('shared');
  audit = [];
  pipeline = start();
});

const inner = serializePayload(jsonPlain('text'));
const sealed = (namespace: string, of: Uint8Array = inner): Payload => new RivalPayloads(kms, of).ours(key, namespace);
/** A header that names a namespace, over a body that does not open. */
function decoy(namespace: string): Payload {
  const { metadata, data } = sealed(namespace);
  return { metadata, data: Buffer.concat([data.subarray(0, -1), Buffer.from([(data.at(-1) ?? 0) ^ 1])]) };
}
const send = (payloads: readonly Payload[], namespace = 'orders') =>
  ask(pipeline, { headers: { 'x-namespace': namespace }, body: { payloads: payloads.map(toJson) } });
const lastLine = () => JSON.parse(auditLine(audit.at(-1) as AuditEntry));

describe('the audit line', () => {
  it('names the namespace that was opened behind 49 decoys, and none that was not', async () => {
    const decoys = Array.from({ length: 49 }, (_, index) => decoy(`decoy-${index}`));
    await send([...decoys, sealed('orders')]);
    expect(lastLine()).toMatchObject({ opened: ['orders'], payloads: { decoded: 1, 'not-authentic': 49 } });
  });

  it('has room for every namespace of a request, since payloads of more are denied', async () => {
    const decoys = Array.from({ length: 60 }, (_, index) => sealed(`decoy-${index}`));
    await send([...decoys, sealed('orders')]);
    const { opened, namespaces, payloads } = lastLine();
    expect(opened).toEqual(Array.from({ length: 50 }, (_, index) => `decoy-${index}`));
    expect(namespaces.allowed).toEqual(opened);
    expect(payloads).toEqual({ decoded: 50, denied: 11 });
  });

  it('names every namespace of nested payloads, and compressed ones by the namespace that was decided on', async () => {
    const nested = sealed('orders', serializePayload(sealed('decoy-1')));
    const squeezed = payloadOf({ encoding: 'binary/zlib' }, deflateSync(inner));
    await send([nested]);
    expect(lastLine().opened).toEqual(['orders', 'decoy-1']);
    await send([squeezed], 'decoy-2');
    expect(lastLine().opened).toEqual(['decoy-2']);
    await send([squeezed], 'billing');
    expect(lastLine()).toMatchObject({ opened: [], payloads: { denied: 1 } });
  });

  it('denies a namespace with a name that none can have, which the line would have to cut', async () => {
    await send([sealed(`decoy-${'x'.repeat(2000)}`)]);
    expect(lastLine()).toMatchObject({ opened: [], payloads: { denied: 1 } });
  });

  it('says 413 where the answer is more than the host can carry', async () => {
    pipeline = start((body) => body.length < 50);
    const response = await send([sealed('orders')]);
    expect(response.status).toBe(413);
    expect(lastLine()).toMatchObject({ status: 413, opened: ['orders'] });
  });
});

describe('what comes encoded to /encode', () => {
  it('goes back as it came only with our metadata alone: anything else would be plain text that counts as encoded', async () => {
    const encode = async (payload: Payload, more: object = {}) => {
      const body = { payloads: [{ ...toJson(payload), ...more }] };
      const response = await ask(pipeline, { path: '/encode', headers: { 'x-namespace': 'orders' }, body });
      const [encoded] = JSON.parse(response.body).payloads;
      expect(encoded).not.toHaveProperty('externalPayloads');
      return fromJson(encoded);
    };
    const ours = sealed('orders');
    expect(await encode(ours)).toEqual(ours);
    const marked = { ...ours, metadata: { ...ours.metadata, note: Buffer.from('card 4111') } };
    for (const again of [await encode(marked), await encode(ours, { externalPayloads: [{ sizeBytes: '41111111' }] })]) {
      expect(Object.keys(again.metadata)).toEqual(['encoding']);
      expect(again.data.length).toBeGreaterThan(ours.data.length);
    }
  });
});
