import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openSources, SourceError } from '../../../cli/histories/sources.ts';
import { TestCommandIo } from '../../support/command-io.ts';

const OBJECTS: Record<string, string | Buffer> = {
  'export/ns/00/': '',
  'export/ns/00/a': 'first',
  'export/ns/01/b': 'second',
  'other/c': 'not asked for',
};
const ENVIRONMENT = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

let server: Server;
/** How the stand-in fails, by the number of the request; undefined: not at all. */
let trouble: (response: ServerResponse, isList: boolean, count: number) => boolean = () => false;
let requests = 0;
const before = { ...process.env };

/** Lists one object a page, as S3 does a thousand. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3');
    const [, bucket, ...rest] = decodeURIComponent(pathname).split('/');
    if (bucket !== 'histories') {
      response.writeHead(404).end('<Error><Code>NoSuchBucket</Code></Error>');
      return;
    }
    const isList = searchParams.get('list-type') === '2';
    if (trouble(response, isList, ++requests)) return;
    if (!isList) {
      response.end(OBJECTS[rest.join('/')]);
      return;
    }
    const keys = Object.keys(OBJECTS).filter((key) => key.startsWith(searchParams.get('prefix') ?? ''));
    const at = Number(searchParams.get('continuation-token') ?? 0);
    const key = keys[at];
    const contents =
      key === undefined
        ? ''
        : `<Contents><Key>${key.replaceAll('&', '&amp;')}</Key><Size>${OBJECTS[key]?.length}</Size></Contents>`;
    const next = at + 1 < keys.length ? `<NextContinuationToken>${at + 1}</NextContinuationToken>` : '';
    response.end(`<ListBucketResult>${contents}${next}</ListBucketResult>`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, ENVIRONMENT, { AWS_ENDPOINT_URL_S3: endpoint });
});
afterAll(async () => {
  for (const name of [...Object.keys(ENVIRONMENT), 'AWS_ENDPOINT_URL_S3']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

afterEach(() => {
  trouble = () => false;
  requests = 0;
});

/** @param pauseMs after the first piece */
async function read(address: string, silence?: number, pauseMs?: number) {
  const found: [string, string, string][] = [];
  for await (const { name, outputName, chunks } of openSources([address], new TestCommandIo(), silence)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of chunks()) {
      pieces.push(piece);
      if (pieces.length === 1 && pauseMs !== undefined) await new Promise((done) => setTimeout(done, pauseMs));
    }
    found.push([name, outputName, Buffer.concat(pieces).toString()]);
  }
  return found;
}

describe('histories in S3', () => {
  it('are every object of the prefix, over all pages, with the names that their files get', async () => {
    expect(await read('s3://histories/export/ns/')).toEqual([
      ['s3://histories/export/ns/00/a', '00/a', 'first'],
      ['s3://histories/export/ns/01/b', '01/b', 'second'],
    ]);
    expect(await read('s3://histories/export/ns/01/b')).toEqual([['s3://histories/export/ns/01/b', 'b', 'second']]);
  });

  it('are missed with a sentence', async () => {
    await expect(read('s3://histories/none/')).rejects.toThrow('there is no object of that prefix');
    await expect(read('s3://elsewhere/')).rejects.toThrow('s3://elsewhere/ cannot be read (NoSuchBucket)');
    await expect(read('s3:///x')).rejects.toThrow('s3:///x is');
  });
});

describe('S3 in trouble', () => {
  const one = 's3://histories/export/ns/00/a';
  const slowDown = (response: ServerResponse): boolean => {
    response.writeHead(503).end('<Error><Code>SlowDown</Code><Message>canary</Message></Error>');
    return true;
  };

  it('is asked again when it is slowed down or loses a connection before it answers', async () => {
    for (const fail of [slowDown, (response: ServerResponse) => Boolean(response.destroy())]) {
      trouble = (response, _isList, count) => count % 2 === 1 && fail(response);
      expect(await read(one)).toEqual([[one, 'a', 'first']]);
      requests = 0;
    }
  });

  it('that lasts ends in a sentence', async () => {
    trouble = slowDown;
    await expect(read(one)).rejects.toThrow(new SourceError(`${one} cannot be read (SlowDown).`));
    trouble = (response, isList) => !isList && slowDown(response);
    await expect(read(one)).rejects.toThrow(new SourceError(`${one} cannot be read (SlowDown).`));
  });

  it.each([
    ['with a length', { 'content-length': 1000 }],
    ['in chunks', {}],
  ])('amid an object %s ends in a sentence, and what came of it is not taken for the whole', async (_how, headers) => {
    trouble = (response, isList) => {
      if (isList) return false;
      response.writeHead(200, headers).write('first');
      setTimeout(() => response.destroy(), 20);
      return true;
    };
    await expect(read(one)).rejects.toMatchObject({ name: 'SourceError', message: expect.stringContaining(one) });
  });

  it.each([
    ['never answers', () => {}],
    [
      'falls silent amid an object',
      (response: ServerResponse) => response.writeHead(200, { 'content-length': 9 }).write('f'),
    ],
  ])('that %s is given up', async (_how, begin) => {
    trouble = (response, isList) => {
      if (!isList) begin(response);
      return !isList;
    };
    await expect(read(one, 200)).rejects.toThrow(/cannot be read.*\(TimeoutError\)/);
  });

  it('is not silent where it is who reads that takes their time', async () => {
    OBJECTS['large/a'] = Buffer.alloc(8_000_000, 1);
    const [object] = await read('s3://histories/large/', 400, 1200);
    delete OBJECTS['large/a'];
    expect(object?.[2]).toHaveLength(8_000_000);
  });

  it('that lists the same page for ever ends', async () => {
    trouble = (response, isList) => {
      if (isList)
        response.end('<ListBucketResult><NextContinuationToken>again</NextContinuationToken></ListBucketResult>');
      return isList;
    };
    await expect(read(one)).rejects.toThrow('lead back');
  });
});

describe('keys of objects', () => {
  it.each(['../../a', 'a/../../b', './a', 'a//b', 'a\\..\\b', '..'])(
    'never lead out of the folder: %s',
    async (key) => {
      OBJECTS[`keys/${key}`] = 'x';
      try {
        await expect(read('s3://histories/keys/')).rejects.toThrow('cannot be the name of a file');
      } finally {
        delete OBJECTS[`keys/${key}`];
      }
    },
  );

  it('move no cursor', async () => {
    OBJECTS['keys/\u202e/../a'] = 'x';
    const error = await read('s3://histories/keys/').catch((it: unknown) => it);
    delete OBJECTS['keys/\u202e/../a'];
    expect(String(error)).not.toContain('\u202e');
  });

  it('say nothing of compression: the content does', async () => {
    OBJECTS['zipped/a'] = gzipSync('inside');
    expect(await read('s3://histories/zipped/')).toEqual([['s3://histories/zipped/a', 'a', 'inside']]);
  });
});
