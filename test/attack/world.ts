/**
 * The world of the attack suite: a team's issuer, an issuer of nobody's, rules, service tokens, and
 * ciphertext with a known plaintext inside.
 */
import { generateKeyPairSync } from 'node:crypto';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { HttpsIssuer, makeSigningKey, type SigningKey, signingKeyOf } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import type { JsonPayload } from '../support/payloads.ts';
import type { AttackConfig, AttackResponse, AttackTarget, StartTarget } from './target.ts';

/** What no attack may get to see. */
export const PLAINTEXT = 'the-plaintext-of-orders';
export const BILLING_PLAINTEXT = 'the-plaintext-of-billing';
export const ORIGIN = 'https://cloud.temporal.io';

export class AttackWorld {
  readonly issuer: HttpsIssuer;
  /** Signs perfect tokens that nobody here configured, and records whether anybody asks for its keys. */
  readonly evil: HttpsIssuer;
  /** A key that the issuer used to publish. */
  readonly withdrawn: SigningKey;
  /** A key of the attacker's, with the id of the issuer's own. */
  readonly impostor: SigningKey;
  readonly reader = makeServiceToken('reader');
  readonly writer = makeServiceToken('writer');
  readonly expired = makeServiceToken('writer', new Date(Date.now() - 1_000));
  /** A body with a ciphertext of the namespace `orders`. */
  body = '';
  /** A body with a ciphertext of the namespace `billing`. */
  billingBody = '';
  target: AttackTarget;

  private constructor(issuer: HttpsIssuer, evil: HttpsIssuer) {
    this.issuer = issuer;
    this.evil = evil;
    this.withdrawn = makeSigningKey('withdrawn');
    this.impostor = signingKeyOf(issuer.signer.kid, generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RS256');
    this.target = { send: () => Promise.reject(new Error('not started')), keyCalls: () => 0, close: async () => {} };
  }

  static async start(startTarget: StartTarget): Promise<AttackWorld> {
    const world = new AttackWorld(await HttpsIssuer.start(), await HttpsIssuer.start());
    world.target = await startTarget(world.#config());
    world.body = await world.#encode('orders', PLAINTEXT);
    world.billingBody = await world.#encode('billing', BILLING_PLAINTEXT);
    return world;
  }

  async close(): Promise<void> {
    await this.target.close();
    await this.issuer.close();
    await this.evil.close();
  }

  /** A token of the issuer; by default one that may decode `orders`. */
  token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
    return this.issuer.token({ email: 'alice@acme.com', ...claims }, header);
  }

  /** The claims of a valid token, for signing in other ways. */
  claims(change: Record<string, unknown> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    const { issuer: iss } = this.issuer;
    return { iss, sub: 'user|alice', aud: 'codec', iat: now - 60, exp: now + 600, email: 'alice@acme.com', ...change };
  }

  #config(): AttackConfig {
    const issuer = { type: 'oidc', issuer: this.issuer.issuer, jwksUri: this.issuer.jwksUri } as const;
    const tokens = [this.reader.entry, this.writer.entry, this.expired.entry];
    return {
      identity: {
        issuers: [
          { ...issuer, audience: 'codec', from: 'authorization' },
          { ...issuer, audience: 'web-ui', from: 'authorization-extras' },
        ],
        serviceTokens: { secret: 'created-by-stack' },
      },
      access: [
        { name: 'alice', namespaces: ['orders'], people: [{ email: 'alice@acme.com' }], allow: ['decode'] },
        { name: 'team', namespaces: ['orders'], people: [{ emailDomain: 'team.acme.com' }], allow: ['decode'] },
        {
          name: 'permissions',
          namespaces: ['*'],
          people: [{ claim: 'permissions', includes: '{namespace}:read' }],
          allow: ['decode'],
        },
        { name: 'reader', namespaces: ['orders'], people: [{ serviceToken: 'reader' }], allow: ['decode'] },
        { name: 'writer', namespaces: ['*'], people: [{ serviceToken: 'writer' }], allow: ['encode'] },
      ],
      origin: ORIGIN,
      serviceTokens: JSON.stringify({ tokens }),
      certificate: testCertificate().cert,
    };
  }

  async #encode(namespace: string, plaintext: string): Promise<string> {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const payload: JsonPayload = {
      metadata: { encoding: base64('json/plain') },
      data: base64(JSON.stringify(plaintext)),
    };
    const response = await this.target.send({
      method: 'POST',
      path: '/encode',
      headers: [
        ['content-type', 'application/json'],
        ['x-namespace', namespace],
        ['authorization', this.writer.token],
      ],
      body: JSON.stringify({ payloads: [payload] }),
    });
    if (response.status !== 200) throw new Error(`the target does not encode: ${response.status} ${response.body}`);
    return response.body;
  }
}

/** Whether an answer holds any of the plaintexts, as text or as base64 in any alignment. */
export function leaks({ body, headers }: AttackResponse): boolean {
  const text = `${body} ${JSON.stringify(headers)}`;
  const decoded = (text.match(/[A-Za-z0-9+/_-]{8,}/g) ?? []).map((it) => Buffer.from(it, 'base64').toString('latin1'));
  return [text, ...decoded].some((it) => it.includes(PLAINTEXT) || it.includes(BILLING_PLAINTEXT));
}
