import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type LocalServer, type LocalServerOptions, startLocalServer } from '../../../lambda/node/local-server.ts';
import { type Authenticator, rejected } from '../../../lambda/server/auth/caller.ts';
import type { CodecPipeline, CodecRequest, CodecResponse } from '../../../lambda/server/http/message.ts';
import { LOOPBACK_CALLER } from '../../support/callers.ts';
import { makeTestCertificate } from '../../support/certificate.ts';
import { until } from '../../support/patience.ts';

/** People of one address who are asked for at a time, while nobody knows who they are. */
const MOST_UNKNOWN_PER_PEER = 16;

const UI = 'http://localhost:8233';
const running: LocalServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close(100)));
});

const echo: CodecPipeline = async ({ method, path, query, body }) =>
  ok(JSON.stringify({ method, path, query, bytes: body.length }));

function ok(body: string): CodecResponse {
  return { status: 200, headers: { 'content-type': 'application/json', 'x-request-id': 'r' }, body };
}

async function start(pipeline: CodecPipeline = echo, options: Partial<LocalServerOptions> = {}): Promise<LocalServer> {
  const cors = { origins: [UI], credentials: false };
  const server = await startLocalServer({ pipeline, cors, bodyBytes: 1000, port: 0, ...options });
  running.push(server);
  return server;
}

interface Received {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function send(port: number, options: RequestOptions = {}, body?: string | Buffer): Promise<Received> {
  return new Promise((resolve, reject) => {
    const outgoing = (options.protocol === 'https:' ? httpsRequest : httpRequest)(
      // A connection of its own: one that was kept may be reset by the server as it is used again.
      { host: '127.0.0.1', port, method: 'POST', path: '/decode', agent: false, ...options },
      async (incoming) => {
        let text = '';
        for await (const chunk of incoming) text += chunk;
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A connection that the server may cut off. */
const quietly = (socket: Socket): Socket => socket.on('error', () => undefined);

/** Asks again until it is answered with a status: what the server reads meanwhile it reads in its own time. */
async function untilAnswered(status: number, ask: () => Promise<Received>): Promise<Received> {
  return await until(async () => {
    const answer = await ask();
    return answer.status === status && answer;
  }, `it does not answer ${status}`);
}

/** A pipeline that answers when it is let go, and what tells how many requests have come to it. */
function heldPipeline(answer: CodecResponse = ok('{}')) {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  let held = 0;
  const pipeline: CodecPipeline = () => {
    held++;
    return promise.then(() => answer);
  };
  const holds = (count: number) => until(() => held >= count, `${held} of ${count} requests have come`, 20_000);
  return { pipeline, release, holds };
}

/** Sends bytes as they are and collects all that comes back. */
function sendRaw(port: number, text: string, { end = true } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => (end ? socket.end(text) : socket.write(text)));
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

describe('the local server', () => {
  it('answers on both loopback addresses, on one port', async () => {
    const { port, addresses } = await start();
    expect(addresses[0]).toBe(`http://127.0.0.1:${port}`);
    for (const address of addresses) {
      const host = new URL(address).hostname.replace(/[[\]]/g, '');
      expect((await send(port, { host })).status).toBe(200);
    }
  });

  it('hands path and query over as received', async () => {
    const { port } = await start();
    const { body } = await send(port, { path: '//a%2Fb//decode?preserveStorageRefs=true&x' }, 'abc');
    expect(JSON.parse(body)).toEqual({
      method: 'POST',
      path: '//a%2Fb//decode',
      query: 'preserveStorageRefs=true&x',
      bytes: 3,
    });
  });

  it('hands every value of a repeated header over', async () => {
    let seen: CodecRequest | undefined;
    const { port } = await start(async (request) => {
      seen = request;
      return ok('{}');
    });
    await sendRaw(
      port,
      'POST /decode HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nX-Namespace: n\r\nauthorization: b\r\nAUTHORIZATION: c\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
    expect(seen?.header('authorization')).toEqual(['a', 'b', 'c']);
    expect(seen?.header('x-namespace')).toEqual(['n']);
    expect(seen?.header('cookie')).toEqual([]);
  });

  it('gives each request an id and a deadline of its own', async () => {
    const seen: CodecRequest[] = [];
    const { port } = await start(async (request) => {
      seen.push(request);
      return ok('{}');
    });
    const before = Date.now();
    await send(port);
    await send(port);
    expect(new Set(seen.map(({ requestId }) => requestId)).size).toBe(2);
    expect(seen[0]?.deadline).toBeGreaterThanOrEqual(before + 9000);
    expect(seen[0]?.deadline).toBeLessThan(Date.now() + 10_000);
  });

  describe('under a name that is not this machine', () => {
    it.each([
      'evil.example',
      'evil.example:8888',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '[::2]',
      'local host',
    ])('refuses Host %j, preflight included', async (host) => {
      const { port } = await start();
      for (const method of ['POST', 'OPTIONS']) {
        const { status, body } = await send(port, { method, headers: { host, origin: UI } });
        expect(status).toBe(403);
        expect(body).not.toContain('payloads');
      }
    });

    it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:65000', '127.1.2.3', '[::1]:8888'])(
      'answers Host %j',
      async (host) => {
        const { port } = await start();
        expect((await send(port, { headers: { host } })).status).toBe(200);
      },
    );

    it('answers any name when it listens beyond loopback, where its callers are known by token', async () => {
      const { port } = await start(echo, { host: '0.0.0.0' });
      expect((await send(port, { headers: { host: 'codec.example.com' } })).status).toBe(200);
    });
  });

  describe('to a browser', () => {
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

    it('allows exactly the four headers of the Web UI, POST, for two hours', async () => {
      const { port } = await start();
      const { status, headers } = await send(port, { method: 'OPTIONS', headers: { origin: UI, ...preflight } });
      expect(status).toBe(204);
      expect(headers).toMatchObject({
        'access-control-allow-origin': UI,
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type, x-namespace, authorization, authorization-extras',
        'access-control-max-age': '7200',
        'access-control-allow-private-network': 'true',
        vary: 'Origin',
      });
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    });

    it('allows cookies only where the configuration does, on preflight and answer', async () => {
      const { port } = await start(echo, { cors: { origins: [UI], credentials: true } });
      for (const method of ['OPTIONS', 'POST']) {
        const { headers } = await send(port, { method, headers: { origin: UI } });
        expect(headers).toMatchObject({
          'access-control-allow-origin': UI,
          'access-control-allow-credentials': 'true',
        });
      }
    });

    it.each([
      'http://localhost:8234',
      'https://localhost:8233',
      'http://localhost:8233/',
      'null',
      'http://localhost:8233.evil.example',
    ])('gives the origin %j no CORS headers', async (origin) => {
      const { port } = await start();
      const refused = await send(port, { method: 'OPTIONS', headers: { origin, ...preflight } });
      expect(refused.status).toBe(403);
      expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
      expect(refused.headers['vary']).toBe('Origin');
      const answered = await send(port, { headers: { origin } });
      expect(answered.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answered.headers['vary']).toBe('Origin');
    });

    it('puts the CORS headers on its own refusals as well, or the browser shows {}', async () => {
      const { port } = await start();
      const { status, headers } = await send(port, { headers: { origin: UI } }, 'x'.repeat(1001));
      expect(status).toBe(413);
      expect(headers).toMatchObject({ 'access-control-allow-origin': UI, 'cache-control': 'no-store', vary: 'Origin' });
    });
  });

  describe('with bodies that are too much', () => {
    it('takes a body of exactly the limit', async () => {
      const { port } = await start();
      expect(JSON.parse((await send(port, {}, 'x'.repeat(1000))).body)).toMatchObject({ bytes: 1000 });
    });

    it('answers 413 to a body that announces itself as too large, without reading it', async () => {
      const { port } = await start();
      const answer = await sendRaw(port, 'POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n', {
        end: false,
      });
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
      expect(answer).toContain('larger than 1000 bytes');
    });

    it('answers 413 to a body that turns out too large on the way', async () => {
      const { port } = await start();
      const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
      const head = 'POST /decode HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
      expect(await sendRaw(port, `${head}${chunk}${chunk}0\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 /);
    });

    it('lets a client that sends 20 MB read the 413', async () => {
      const { port } = await start();
      expect((await send(port, {}, Buffer.alloc(20_000_000, 'x'))).status).toBe(413);
      expect((await send(port)).status).toBe(200);
    });

    it('cuts off a body that does not arrive with 408', async () => {
      const { port } = await start(echo, { bodyTimeoutMs: 50 });
      const answer = await sendRaw(port, 'POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc', {
        end: false,
      });
      expect(answer).toMatch(/^HTTP\/1.1 408 /);
      expect(answer).toMatch(/connection: close/i);
    });

    it('refuses at once with 503 what would not fit into memory, and recovers', async () => {
      const { port } = await start(echo, { bodyBytes: 1000, admission: { bytes: 1500, requests: 100 } });
      const first = quietly(connect(port, '127.0.0.1'));
      first.write(`POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(999)}`);
      const shed = await untilAnswered(503, () => send(port, {}, 'x'.repeat(900)));
      expect(shed.headers['retry-after']).toBe('1');
      expect((await send(port, {}, 'small')).status).toBe(200);
      first.destroy();
      await untilAnswered(200, () => send(port, {}, 'x'.repeat(900)));
    });

    it('counts an answer until its client has taken it, and cuts off one that takes nothing', async () => {
      const large = 'x'.repeat(20_000_000);
      const pipeline: CodecPipeline = async ({ path }) => ok(path === '/decode' ? large : '{}');
      const { port } = await start(pipeline, { admission: { bytes: 1e7, requests: 100 }, stallMs: 1_500 });
      const unread = quietly(connect(port, '127.0.0.1')).pause();
      unread.write('POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx');
      await untilAnswered(503, () => send(port, { path: '/encode' }, 'x'.repeat(900)));
      await untilAnswered(200, () => send(port, { path: '/encode' }, 'x'.repeat(900)));
      unread.destroy();
    });

    it('forgets answers whose clients went away before they were given', async () => {
      const { pipeline, release, holds } = heldPipeline(ok('x'.repeat(100_000)));
      const { port } = await start(pipeline, { admission: { bytes: 1e7, requests: 4 } });
      const pipelined = quietly(connect(port, '127.0.0.1'));
      pipelined.write('POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx'.repeat(4));
      await holds(4);
      expect((await send(port)).status).toBe(503);
      pipelined.destroy();
      await setTimeout(50);
      release();
      await untilAnswered(200, () => send(port));
      const answers = await Promise.all([send(port), send(port), send(port), send(port)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    });

    it('refuses at once with 503 what is more than it can have in flight', async () => {
      const { pipeline, release, holds } = heldPipeline();
      const { port } = await start(pipeline, { admission: { bytes: 1e6, requests: 2 } });
      const waiting = [send(port), send(port)];
      await holds(2);
      expect((await send(port)).status).toBe(503);
      release();
      expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
      expect((await send(port)).status).toBe(200);
    });
  });

  it('answers a bug in the pipeline with a blank 500, and tells the log', async () => {
    const bugs: unknown[] = [];
    const onBug = (error: unknown) => bugs.push(error);
    for (const pipeline of [
      () => Promise.reject(new Error('secret')),
      () => {
        throw new Error('secret');
      },
    ] as CodecPipeline[]) {
      const { port } = await start(pipeline, { onBug });
      const { status, body } = await send(port);
      expect({ status, body }).toEqual({
        status: 500,
        body: expect.stringMatching(/^Internal error \(request \S+\)\n$/),
      });
    }
    expect(bugs).toHaveLength(2);
  });

  it('says which port is taken, by its code', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(start(echo, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    other.close();
  });

  it('finishes what is in flight when it is closed, and takes nothing new', async () => {
    const { pipeline, release, holds } = heldPipeline(ok('"finished"'));
    const server = await start(pipeline);
    const inFlight = send(server.port);
    await holds(1);
    const closed = server.close();
    await expect(send(server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    release();
    expect((await inFlight).body).toBe('"finished"');
    await closed;
  });

  it('lets a client that is slow to read have all of its answer when it is closed', async () => {
    const large = 'x'.repeat(20_000_000);
    const { pipeline, release, holds } = heldPipeline(ok(large));
    const server = await start(pipeline);
    const socket = connect(server.port, '127.0.0.1').pause();
    socket.write('POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx');
    await holds(1);
    release();
    await setTimeout(100);
    const closed = server.close();
    await setTimeout(100);
    let received = 0;
    for await (const chunk of socket) received += chunk.length;
    expect(received).toBeGreaterThan(large.length);
    await closed;
  });

  it('is closed soon although its clients keep their connections and ask on', async () => {
    for (let round = 0; round < 5; round++) {
      const server = await start();
      const agent = new Agent({ keepAlive: true });
      let asking = true;
      const clients = Array.from({ length: 8 }, async () => {
        while (asking) await send(server.port, { agent }).catch(() => undefined);
      });
      await setTimeout(50);
      const since = performance.now();
      await server.close(20_000);
      expect(performance.now() - since).toBeLessThan(15_000);
      asking = false;
      await Promise.all(clients);
      agent.destroy();
    }
  });

  it('gives up on what does not finish in time', async () => {
    const { pipeline, holds } = heldPipeline();
    const server = await start(pipeline);
    const inFlight = send(server.port);
    await holds(1);
    await server.close(50);
    await expect(inFlight).rejects.toThrow();
  });

  it('speaks https with a given certificate', async () => {
    const tls = makeTestCertificate();
    const { port, addresses } = await start(echo, { tls });
    expect(addresses[0]).toBe(`https://127.0.0.1:${port}`);
    const { status } = await send(port, { protocol: 'https:', host: 'localhost', ca: tls.cert } as RequestOptions);
    expect(status).toBe(200);
  });

  describe('on a network with strangers', () => {
    const HEAD =
      'POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';
    const known = { headers: { authorization: 'known', 'content-type': 'application/json' } };
    const authenticator: Authenticator = {
      authenticate: ({ authorization: [name] }) => {
        if (name === 'known') return LOOPBACK_CALLER;
        if (name === 'slow') return new Promise(() => {});
        throw rejected('missing');
      },
    };
    /** As the pipeline answers: by who calls, before it looks at the body. */
    const guarded: CodecPipeline = async (request) =>
      request.header('authorization')[0] === 'known' ? echo(request) : { ...ok('no'), status: 401 };

    it('serves who is known while strangers hold connections on which they sent heads alone', async () => {
      const { port } = await start(guarded, { authenticator, admission: { bytes: 1_000_000, requests: 20 } });
      const strangers = Array.from({ length: 100 }, () => sendRaw(port, `${HEAD}\r\n`, { end: false }));
      await setTimeout(100);
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(port, known, '{}')));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      await Promise.all(running.splice(0).map((server) => server.close(10)));
      for (const text of await Promise.all(strangers)) expect(text).toMatch(/^HTTP\/1.1 401 /);
    });

    it.each([
      ['a foreign origin', 'Authorization: known\r\nOrigin: https://evil.example\r\n'],
      ['another content type', 'Authorization: known\r\nContent-Type: text/plain\r\n'],
    ])('waits for no body from %s', async (_, headers) => {
      // Longer than the test may take: waiting for the body would fail it.
      const { port } = await start(guarded, { authenticator, bodyTimeoutMs: 120_000, bodyStallMs: 120_000 });
      const head = HEAD.replace(/Content-Type.*\r\n/, headers.includes('Content-Type') ? '' : '$&');
      const answer = new Promise<string>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(`${head}${headers}\r\n`));
        socket.once('data', (chunk) => {
          socket.destroy();
          resolve(String(chunk));
        });
      });
      expect(await answer).toMatch(/^HTTP\/1.1 /);
    });

    it('gives one address a small number of places while nobody knows who they are', async () => {
      const { port } = await start(guarded, { authenticator, admission: { bytes: 1_000_000, requests: 1_000 } });
      const heads = Array.from({ length: MOST_UNKNOWN_PER_PEER + 5 }, () => {
        const socket = connect(port, '127.0.0.1', () => socket.write(`${HEAD}Authorization: slow\r\n\r\n`));
        return new Promise<string>((resolve) => {
          socket.once('data', (chunk) => resolve(String(chunk).slice(0, 12)));
          socket.once('close', () => resolve('closed'));
          socket.once('error', () => resolve('closed'));
        });
      });
      // Whose heads come last, whatever the order of the connections.
      const answers: string[] = [];
      for (const head of heads) void head.then((answer) => answers.push(answer));
      await until(
        () => answers.length >= 5,
        () => `${answers.length} were answered`,
      );
      expect(answers).toEqual(Array(5).fill('HTTP/1.1 503'));
    });
  });

  it('answers 431 so that it can be read, also by a client that sends 64 KB of headers', async () => {
    const { port } = await start();
    const head = `POST /decode HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(65_536)}`;
    expect(await sendRaw(port, `${head}\r\nContent-Length: 0\r\n\r\n`, { end: false })).toMatch(
      /^HTTP\/1.1 431 Request Header Fields Too Large\r\n/,
    );
  });

  it('ends a body that stalls before its whole time is over, and one that trickles with it', async () => {
    const stalling = await start(echo, { bodyTimeoutMs: 120_000, bodyStallMs: 200 });
    const { port } = await start(echo, { bodyTimeoutMs: 1_000, bodyStallMs: 120_000 });
    const head = 'POST /decode HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n0123456789';
    expect(await sendRaw(stalling.port, head, { end: false })).toMatch(/^HTTP\/1.1 408 /);
    const trickling = new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(head));
      const more = setInterval(() => socket.write('x'), 50);
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(more);
        resolve(text);
      });
    });
    expect(await trickling).toMatch(/^HTTP\/1.1 408 /);
  });
});
