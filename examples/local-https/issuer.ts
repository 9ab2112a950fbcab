/**
 * A token issuer of one's own, for trying the codec server with identity on one machine: publishes a
 * key set over HTTPS and prints a token that it has signed. A toy: its key lives as long as it runs.
 *
 *   node examples/local-https/issuer.ts cert.pem key.pem [port] [email]
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const [certFile = 'cert.pem', keyFile = 'key.pem', port = '8899', email = 'alice@example.com'] = process.argv.slice(2);
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keySet = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'local', use: 'sig' }] });

const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(keySet);
});
server.listen(Number(port), 'localhost', () => {
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: email, aud: 'codec', email, iat: now, exp: now + 8 * 3600 };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'RS256', typ: 'JWT', kid: 'local' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url');
  process.stdout.write(
    `issuer ${issuer}\nkey set ${issuer}jwks.json\ntoken for ${email}, valid for 8 hours:\n${input}.${signature}\n`,
  );
});
