/**
 * An OpenID Connect issuer for the Web UI to sign people in with: the authorization code flow over HTTPS on loopback,
 * where whoever is named as {@link SignInIssuer.person} is signed in without being asked.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeSigningKey, type SigningKey, signToken } from '../../support/https-issuer.ts';
import type { Certificate } from './certificates.ts';

/** The Web UI's client id, which is the audience of ID tokens. */
export const CLIENT_ID = 'temporal-web-ui';
/** The audience of access tokens. */
export const API_AUDIENCE = 'temporal-api';

/** A running issuer. */
export interface SignInIssuer {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly jwksUri: string;
  /** Who is signed in next: claims of both tokens, `sub` among them. */
  person: Readonly<Record<string, unknown>>;
  /** Signs with another key, which is not published, while set: tokens that look right and are forged. */
  forgedBy: SigningKey | undefined;
  stop(): Promise<void>;
}

/** Starts the issuer. */
export async function startSignInIssuer(certificate: Certificate): Promise<SignInIssuer> {
  const key = makeSigningKey();
  const nonces = new Map<string, string>();
  let issuer = '';
  const state: Pick<SignInIssuer, 'person' | 'forgedBy'> = { person: { sub: 'nobody' }, forgedBy: undefined };

  const tokens = (nonce: string | undefined): Record<string, unknown> => {
    const now = Math.floor(Date.now() / 1000);
    const common = { iss: issuer, iat: now, exp: now + 600, ...state.person };
    const signer = state.forgedBy === undefined ? key : { ...state.forgedBy, kid: key.kid };
    return {
      token_type: 'Bearer',
      expires_in: 600,
      access_token: signToken({ ...common, aud: API_AUDIENCE }, {}, signer),
      // The Web UI checks the ID token itself, so that one is always genuine.
      id_token: signToken({ ...common, aud: CLIENT_ID, ...(nonce === undefined ? {} : { nonce }) }, {}, key),
      refresh_token: randomUUID(),
    };
  };

  const server = createServer(certificate, (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', issuer);
    const json = (body: unknown): void => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
        });
      case '/keys':
        return json({ keys: [key.jwk] });
      case '/authorize': {
        const code = randomUUID();
        nonces.set(code, url.searchParams.get('nonce') ?? '');
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('code', code);
        back.searchParams.set('state', url.searchParams.get('state') ?? '');
        response.writeHead(302, { location: back.href });
        response.end();
        return;
      }
      case '/token':
        readBody(request)
          .then((body) => json(tokens(nonces.get(new URLSearchParams(body).get('code') ?? ''))))
          .catch(() => response.destroy());
        return;
      default:
        response.writeHead(404);
        response.end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer = `https://localhost:${(server.address() as AddressInfo).port}`;

  return Object.assign(state, {
    issuer,
    jwksUri: `${issuer}/keys`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
}
