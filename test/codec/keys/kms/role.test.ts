import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKms, type RemoteKms } from '../../../../codec/keys/kms/kms.ts';
import { KmsKeys } from '../../../../codec/keys/kms/kms-key-source.ts';
import { KmsStandIn } from '../../../support/kms-stand-in.ts';
import { PATIENCE_MS, until } from '../../../support/patience.ts';

const ROLE = 'arn:aws:iam::444455556666:role/codec-keys';
const CREDENTIALS = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

let standIn: KmsStandIn;
let sts: Server;
let kms: RemoteKms;
let asked: number;
let onAsked: (response: ServerResponse, count: number) => void;
const before = { ...process.env };

beforeEach(async () => {
  standIn = await KmsStandIn.start();
  asked = 0;
  sts = createServer((request, response) => {
    request.resume();
    request.on('end', () => onAsked(response, ++asked));
  });
  await new Promise<void>((done) => sts.listen(0, '127.0.0.1', done));
  process.env['AWS_ENDPOINT_URL_STS'] = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
  kms = createKms({ client: { endpoint: standIn.endpoint } });
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
});

afterEach(async () => {
  process.env = { ...before };
  kms.close();
  sts.closeAllConnections();
  await new Promise((done) => sts.close(done));
  await standIn.close();
});

describe('a role that is assumed for a key', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['never answers', () => {}],
    ['ends amid its answer', (response) => response.writeHead(200, { 'content-length': 999 }).write('<AssumeRole')],
  ])('does not lock out the key for good where the first call to STS %s', async (_what, fail) => {
    onAsked = (response, count) => {
      if (count === 1) fail(response);
      else response.writeHead(200, { 'content-type': 'text/xml' }).end(CREDENTIALS);
    };
    const arn = standIn.createKey();
    const keys = new KmsKeys([{ namespaces: ['orders'], write: arn, assumeRole: ROLE }], {
      kms,
      calls: { attempts: 1, attemptMs: PATIENCE_MS },
    });
    const context = new Map([['temporal-namespace', 'orders']]);
    const generate = (ms: number) => keys.generate(context, { namespace: 'orders', deadline: Date.now() + ms });
    await expect(generate(1000)).rejects.toMatchObject({ name: 'KeyUnavailableError', reason: 'timed-out' });
    await until(() => asked === 2, 'STS is not asked again');
    expect((await generate(PATIENCE_MS)).dataKey.id).toBe(arn);
    expect(asked).toBe(2);
  });
});
