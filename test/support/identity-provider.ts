/**
 * An OpenID Connect provider on loopback HTTPS, by the certified `oidc-provider`: discovery, authorization code
 * flow with PKCE, ID tokens. Whoever is {@link IdentityProvider.person} is signed in without being asked.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import Provider from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
import { makeSigningKey, type SigningKey } from './https-issuer.ts';

export const CODEC_CLIENT = 'codec-server';
export const CODEC_CLIENT_SECRET = 'the-client-secret-of-the-codec-server';

export interface IdentityProviderOptions {
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly redirectUris: readonly string[];
}

export class IdentityProvider {
  /** Who is signed in next: `sub` and further claims of the ID token. */
  person: Readonly<Record<string, unknown>> & { readonly sub: string } = { sub: 'nobody' };
  /** `down` cuts every connection; `no-keys` cuts only those that ask for the key set. */
  mood: 'in-order' | 'down' | 'no-keys' | 'refuses' = 'in-order';
  /** Paths asked for. */
  readonly asked: string[] = [];
  /** What was exchanged for a code, and for what: code, verifier, client secret, tokens. */
  readonly exchanged: string[] = [];
  readonly issuer: string;
  readonly key: SigningKey;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, issuer: string, options: IdentityProviderOptions) {
    this.#server = server;
    this.issuer = issuer;
    this.key = makeSigningKey();
    const provider = this.#provider(options);
    provider.on('grant.success', ({ headers, body, oidc }) => {
      const sent = [
        headers['authorization']?.replace(/^Basic /, ''),
        oidc.params['code'],
        oidc.params['code_verifier'],
      ];
      this.exchanged.push(...[...sent, body['id_token'], body['access_token']].map(String));
    });
    const listener = provider.callback();
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const path = new URL(request.url ?? '/', issuer).pathname;
      this.asked.push(path);
      if (this.mood === 'down' || (this.mood === 'no-keys' && path === '/jwks')) request.socket.destroy();
      else if (path.startsWith('/interaction/')) {
        this.#interact(provider, request, response).catch(() => response.destroy());
      } else listener(request, response);
    });
  }

  static async start(options: IdentityProviderOptions): Promise<IdentityProvider> {
    const { cert, key } = options.certificate;
    const server = createServer({ cert, key });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new IdentityProvider(server, `https://localhost:${(server.address() as AddressInfo).port}`, options);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #provider({ redirectUris }: IdentityProviderOptions): Provider {
    return new Provider(this.issuer, {
      clients: [
        {
          client_id: CODEC_CLIENT,
          client_secret: CODEC_CLIENT_SECRET,
          redirect_uris: redirectUris,
          response_types: ['code'],
          grant_types: ['authorization_code'],
        },
      ],
      jwks: {
        keys: [{ ...this.key.privateKey.export({ format: 'jwk' }), kid: this.key.kid, use: 'sig', alg: 'RS256' }],
      },
      // Given although they are the defaults, of which the library would warn.
      adapter: MemoryAdapter,
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      pkce: { required: () => true },
      cookies: { keys: ['a key of the test'] },
      // Whatever is known of the person stands in the ID token.
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups', 'permissions'] },
      findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ ...this.person, sub }) }),
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    });
  }

  /** Answers for the person: yes, that is me, and yes, tell them. */
  async #interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { params } = await provider.interactionDetails(request, response);
    if (this.mood === 'refuses') {
      const result = { error: 'access_denied', error_description: '<b>no</b>' };
      return provider.interactionFinished(request, response, result);
    }
    const accountId = this.person.sub;
    const grant = new provider.Grant({ accountId, clientId: String(params['client_id']) });
    grant.addOIDCScope(String(params['scope']));
    const grantId = await grant.save();
    await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
  }
}
