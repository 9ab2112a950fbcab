import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Connection } from '../../bench/load/connection.ts';
import { Verifier } from '../../bench/load/verify.ts';

const ANSWER = [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'MQ==' }];

describe('the load generator', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
  });

  async function answerOf(write: (response: ServerResponse) => void): Promise<[number, string]> {
    const listening = createServer((_, response) => write(response)).listen(0, '127.0.0.1');
    server = listening;
    await once(listening, 'listening');
    return new Promise((resolve, reject) => {
      const connection = new Connection((listening.address() as AddressInfo).port, reject);
      connection.send(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), (status, body) => {
        resolve([status, body.toString()]);
        connection.close();
      });
    });
  }

  it('reads a body of a given length', async () => {
    expect(await answerOf((response) => response.end('hello'))).toEqual([200, 'hello']);
  });

  it('reads a body in chunks', async () => {
    const big = 'x'.repeat(200_000);
    const answer = await answerOf((response) => {
      response.write('hello ');
      response.write(big);
      response.end();
    });
    expect(answer).toEqual([200, `hello ${big}`]);
  });

  it('reads an answer without a body', async () => {
    expect(await answerOf((response) => response.writeHead(204).end())).toEqual([204, '']);
  });

  it('takes the same payloads in any spelling for right', () => {
    const verifier = new Verifier({ body: Buffer.from(''), answer: ANSWER });
    expect(() => verifier.check(200, Buffer.from(JSON.stringify({ payloads: ANSWER })))).not.toThrow();
    expect(() => verifier.check(200, Buffer.from(JSON.stringify({ payloads: ANSWER }, null, 2)))).not.toThrow();
  });

  it.each([
    ['another status', 500, { payloads: ANSWER }],
    ['other data', 200, { payloads: [{ ...ANSWER[0], data: 'Mg==' }] }],
    ['other metadata', 200, { payloads: [{ ...ANSWER[0], metadata: { encoding: 'eA==' } }] }],
    ['one metadata entry more', 200, { payloads: [{ ...ANSWER[0], metadata: { ...ANSWER[0]?.metadata, x: '' } }] }],
    ['fewer payloads', 200, { payloads: [] }],
  ])('takes %s for wrong', (_, status, body) => {
    const verifier = new Verifier({ body: Buffer.from(''), answer: ANSWER });
    expect(() => verifier.check(status, Buffer.from(JSON.stringify(body)))).toThrow();
  });
});
