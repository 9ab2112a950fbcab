import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSources } from '../../../cli/histories/sources.ts';
import { TestCommandIo } from '../../support/command-io.ts';

const OBJECTS: Readonly<Record<string, string>> = {
  'export/ns/00/': '',
  'export/ns/00/a': 'first',
  'export/ns/01/b': 'second',
  'other/c': 'not asked for',
};
const ENVIRONMENT = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

let server: Server;
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
    if (searchParams.get('list-type') !== '2') {
      response.end(OBJECTS[rest.join('/')]);
      return;
    }
    const keys = Object.keys(OBJECTS).filter((key) => key.startsWith(searchParams.get('prefix') ?? ''));
    const at = Number(searchParams.get('continuation-token') ?? 0);
    const key = keys[at];
    const contents =
      key === undefined ? '' : `<Contents><Key>${key}</Key><Size>${OBJECTS[key]?.length}</Size></Contents>`;
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

async function read(address: string) {
  const found: [string, string, string][] = [];
  for await (const { name, outputName, chunks } of openSources([address], new TestCommandIo())) {
    const pieces: Uint8Array[] = [];
    for await (const piece of chunks()) pieces.push(piece);
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
