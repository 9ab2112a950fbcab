/**
 * Two floors on bare `node:http`: a server that echoes what it gets, and one that decodes it with
 * the least work there is.
 *
 * usage: node http.ts echo|decode
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { plainDecode } from './plain-decode.ts';

const decodes = process.argv[2] === 'decode';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
    response.end(request.method === 'POST' && decodes ? plainDecode(body) : body);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`));
