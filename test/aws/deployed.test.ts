/** The synthesized stack on loopback, with moto in the place of KMS and Secrets Manager. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { environmentWith } from '../deployed/environment.ts';
import { type Deployed, startDeployed } from '../deployed/support/start-deployed.ts';
import { Moto } from '../support/moto.ts';

const writer = makeServiceToken('writer');
const reader = makeServiceToken('reader');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const PLAIN = { payloads: [{ metadata: { encoding: base64('json/plain') }, data: base64('"as it was"') }] };

describe('the synthesized stack over moto', () => {
  let moto: Moto;
  let deployed: Deployed;

  beforeAll(async () => {
    moto = await Moto.start();
    const service = { endpoint: moto.endpoint };
    deployed = await startDeployed(
      environmentWith({
        identity: { issuers: [], serviceTokens: { secret: 'created-by-stack' } },
        access: [
          { name: 'writer', namespaces: ['orders'], people: [{ serviceToken: 'writer' }], allow: ['encode'] },
          { name: 'reader', namespaces: ['orders'], people: [{ serviceToken: 'reader' }], allow: ['decode'] },
        ],
      }),
      {
        kms: { ...service, createKey: () => moto.createKey() },
        secrets: { ...service, createSecret: (name, text) => moto.createSecret(name, text) },
        secretTexts: { SecretsServiceTokens: JSON.stringify({ tokens: [writer.entry, reader.entry] }) },
      },
    );
  });

  afterAll(async () => {
    await deployed?.close();
    await moto?.close();
  });

  function post(operation: string, token: string | undefined, body: unknown): Promise<Response> {
    return fetch(`${deployed.endpoint}/${operation}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-namespace': 'orders',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
  }

  it('decodes for the reader what it encoded for the writer, under the key of the stack', async () => {
    const encoded = await post('encode', writer.token, PLAIN);
    expect(encoded.status).toBe(200);
    const sealed = (await encoded.json()) as typeof PLAIN;
    expect(Buffer.from(sealed.payloads[0]?.data ?? '', 'base64').toString('latin1')).toContain(deployed.keyArn);
    const decoded = await post('decode', reader.token, sealed);
    expect([decoded.status, await decoded.json()]).toEqual([200, PLAIN]);
  });

  it('gives the writer ciphertext back, and nobody anything', async () => {
    const sealed = await (await post('encode', writer.token, PLAIN)).json();
    expect(await (await post('decode', writer.token, sealed)).json()).toEqual(sealed);
    expect((await post('decode', undefined, sealed)).status).toBe(401);
    expect((await post('encode', reader.token, PLAIN)).status).toBe(403);
  });
});
