/** External storage in the synthesized stack over moto: the bucket of the stack, the real S3 client, real keys. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { environmentWith } from '../deployed/environment.ts';
import { type Deployed, PAYLOAD_BUCKET, startDeployed } from '../deployed/support/start-deployed.ts';
import { Moto } from '../support/moto.ts';
import { type JsonPayload, keyOfWorkflow, objectOf, plain, reference } from '../support/storage-server.ts';

const writer = makeServiceToken('writer');
const reader = makeServiceToken('reader');
const stranger = makeServiceToken('stranger');

describe('external storage of the synthesized stack over moto', () => {
  let moto: Moto;
  let deployed: Deployed;
  let sealed: JsonPayload;
  let stored: JsonPayload;

  beforeAll(async () => {
    moto = await Moto.start();
    const service = { endpoint: moto.endpoint };
    deployed = await startDeployed(
      environmentWith({
        identity: { issuers: [], serviceTokens: { secret: 'created-by-stack' } },
        access: [
          { name: 'writer', namespaces: ['orders'], people: [{ serviceToken: 'writer' }], allow: ['encode'] },
          { name: 'reader', namespaces: ['orders'], people: [{ serviceToken: 'reader' }], allow: ['decode'] },
          { name: 'stranger', namespaces: ['payroll'], people: [{ serviceToken: 'stranger' }], allow: ['decode'] },
        ],
        storage: { buckets: [{ bucket: 'created-by-stack', namespaces: ['*'] }] },
      }),
      {
        kms: { ...service, createKey: () => moto.createKey() },
        secrets: { ...service, createSecret: (name, text) => moto.createSecret(name, text) },
        s3: { ...service, createBucket: (name) => moto.createBucket(name) },
        secretTexts: { SecretsServiceTokens: JSON.stringify({ tokens: [writer.entry, reader.entry, stranger.entry] }) },
      },
    );
    const [encoded] = (await post('encode', writer.token, [plain('large')])).payloads;
    sealed = encoded as JsonPayload;
    const { bytes, sha256 } = objectOf(sealed);
    const key = keyOfWorkflow(sha256, 'orders');
    await moto.putObject(PAYLOAD_BUCKET, key, bytes);
    stored = reference(sha256, key, { bucket: PAYLOAD_BUCKET });
  }, 600_000);

  afterAll(async () => {
    await deployed?.close();
    await moto?.close();
  });

  async function post(operation: string, token: string, payloads: unknown[]) {
    const answer = await fetch(`${deployed.endpoint}/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-namespace': 'orders', authorization: `Bearer ${token}` },
      body: JSON.stringify({ payloads }),
    });
    const json = answer.ok ? ((await answer.json()) as { payloads: JsonPayload[] }) : { payloads: [] };
    return { status: answer.status, payloads: json.payloads };
  }

  it('is read for whoever may read the namespace, by /download and by /decode', async () => {
    expect((await post('download', reader.token, [stored])).payloads).toEqual([plain('large')]);
    expect((await post('decode', reader.token, [stored, sealed])).payloads).toEqual([plain('large'), plain('large')]);
    expect((await post('decode?preserveStorageRefs=true', reader.token, [stored])).payloads).toEqual([stored]);
  });

  it('is not read for others, nor when it is missing or was altered', async () => {
    expect((await post('download', stranger.token, [stored])).payloads).toEqual([stored]);
    const { sha256 } = objectOf(plain('never written'));
    const missing = reference(sha256, keyOfWorkflow(sha256, 'orders'), { bucket: PAYLOAD_BUCKET });
    expect((await post('download', reader.token, [missing])).payloads).toEqual([missing]);
    const key = keyOfWorkflow(sha256, 'orders');
    await moto.putObject(PAYLOAD_BUCKET, key, objectOf(plain('something else')).bytes);
    expect((await post('download', reader.token, [missing])).payloads).toEqual([missing]);
    expect(Buffer.from(await moto.getObject(PAYLOAD_BUCKET, key))).toEqual(objectOf(plain('something else')).bytes);
  });
});
