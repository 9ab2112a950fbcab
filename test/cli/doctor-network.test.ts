import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { checkAddressSpace, checkGatewayCors } from '../../cli/doctor/connection.ts';
import { Target } from '../../cli/doctor/target.ts';

const ORIGIN = 'https://cloud.temporal.io';

function targetAt(endpoint: string): Target {
  return new Target({ endpoint: new URL(endpoint), namespace: 'orders', token: undefined, origin: ORIGIN });
}

describe('the address of an endpoint', () => {
  const target = targetAt('https://codec.example.com');
  const at = (...addresses: string[]) => checkAddressSpace(target, async () => addresses);

  it.each(['10.1.2.3', '100.64.0.9', '192.168.0.1', 'fd00::1'])(
    'makes browsers ask people when it is private: %s',
    async (address) => {
      expect(await at(address)).toMatchObject({ status: 'warning', summary: expect.stringContaining(address) });
    },
  );

  it('asks nobody when it is public, and is not judged when it is not known or on this machine', async () => {
    expect((await at('203.0.113.7', '2001:db8::1')).status).toBe('ok');
    expect((await checkAddressSpace(target, async () => ({ error: 'ENOTFOUND', message: 'no' }))).status).toBe(
      'skipped',
    );
    expect((await checkAddressSpace(targetAt('http://localhost:1'))).status).toBe('skipped');
  });
});

describe('what a gateway answers by itself', () => {
  async function examineGateway(headers: Record<string, string>) {
    const server = createServer((_, response) => response.writeHead(404, headers).end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await checkGatewayCors(targetAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}/live`));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it('is told, whether a page can read it or not', async () => {
    const cors = { 'access-control-allow-origin': ORIGIN };
    expect(await examineGateway({ 'apigw-requestid': 'x', ...cors })).toMatchObject({
      status: 'ok',
      summary: expect.stringContaining('pages can read'),
    });
    expect(await examineGateway({ 'x-amz-apigw-id': 'x' })).toMatchObject({
      status: 'ok',
      summary: expect.stringContaining('network error'),
    });
    expect(await examineGateway(cors)).toMatchObject({ status: 'skipped' });
  });
});
