/**
 * The world of the attack suite: a team's issuer, one of another company that is trusted for itself, one of
 * nobody's, rules, roles, service tokens, a KMS, and ciphertext with a known plaintext inside.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { buildClient, CommitmentPolicy, KMS, KmsKeyringNode } from '@aws-crypto/client-node';
import type { AwsEsdkKMSInterface } from '@aws-crypto/kms-keyring';
import { type Payload, serializePayload } from '../../codec/payload.ts';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { CloudOps, cloudUser } from '../support/cloud-ops.ts';
import { HttpsIssuer, makeSigningKey, type SigningKey, signingKeyOf } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { type JsonPayload, jsonPlain, payloadOf } from '../support/payloads.ts';
import { RivalPayloads } from '../support/rival-payloads.ts';
import type { AttackConfig, AttackResponse, AttackTarget, StartTarget } from './target.ts';

/** What no attack may get to see. */
export const PLAINTEXT = 'the-plaintext-of-orders';
export const BILLING_PLAINTEXT = 'the-plaintext-of-billing';
export const ORIGIN = 'https://cloud.temporal.io';

const official = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

const NOT_STARTED: AttackTarget = {
  send: () => Promise.reject(new Error('not started')),
  keyCalls: () => 0,
  auditLine: () => Promise.reject(new Error('not started')),
  logged: () => Promise.reject(new Error('not started')),
  putServiceTokens: () => {},
  later: async () => {},
  now: () => Date.now(),
  restart: async () => {},
  close: async () => {},
};

export class AttackWorld {
  readonly issuer: HttpsIssuer;
  /** Another company's, whose people may read one namespace of theirs. */
  readonly partner: HttpsIssuer;
  /** Signs perfect tokens that nobody here configured, and records whether anybody asks for its keys. */
  readonly evil: HttpsIssuer;
  /** A key that the issuer used to publish. */
  readonly withdrawn: SigningKey;
  /** A key of the attacker's, with the id of the issuer's own. */
  readonly impostor: SigningKey;
  readonly reader = makeServiceToken('reader');
  readonly writer = makeServiceToken('writer');
  readonly expired = makeServiceToken('writer', new Date(Date.now() - 1_000));
  readonly roles: CloudOps;
  readonly kms: KmsStandIn;
  /** The key that writes and reads every namespace. */
  readonly sharedKey: string;
  /** A key that reads old payloads of other producers, for `orders` alone. */
  readonly oldKey: string;
  /** A body with a ciphertext of the namespace `orders`. */
  body = '';
  /** A body with a ciphertext of the namespace `billing`. */
  billingBody = '';
  target: AttackTarget;

  private constructor([issuer, partner, evil]: readonly HttpsIssuer[], roles: CloudOps, kms: KmsStandIn) {
    if (issuer === undefined || partner === undefined || evil === undefined) throw new Error('there are three issuers');
    this.issuer = issuer;
    this.partner = partner;
    this.evil = evil;
    this.roles = roles;
    this.kms = kms;
    this.sharedKey = kms.createKey();
    this.oldKey = kms.createKey();
    roles.users = [cloudUser('dora@acme.com', 'ROLE_READ', { orders: 'PERMISSION_READ' })];
    this.withdrawn = makeSigningKey('withdrawn');
    this.impostor = signingKeyOf(issuer.signer.kid, generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RS256');
    this.target = NOT_STARTED;
  }

  static async start(startTarget: StartTarget): Promise<AttackWorld> {
    const issuers = await Promise.all([HttpsIssuer.start(), HttpsIssuer.start(), HttpsIssuer.start()]);
    const world = new AttackWorld(issuers, await CloudOps.start(), await KmsStandIn.start());
    world.target = await startTarget(world.#config());
    world.body = await world.#encode('orders', PLAINTEXT);
    world.billingBody = await world.#encode('billing', BILLING_PLAINTEXT);
    return world;
  }

  async close(): Promise<void> {
    await this.target.close();
    await Promise.all([this.issuer, this.partner, this.evil, this.roles, this.kms].map((it) => it.close()));
  }

  /** The document of service tokens that the target starts with. */
  get serviceTokens(): string {
    return JSON.stringify({ tokens: [this.reader.entry, this.writer.entry, this.expired.entry] });
  }

  /** Payloads of another producer with a plaintext of `billing` in them, or of `orders`. */
  foreign(plaintext = BILLING_PLAINTEXT): RivalPayloads {
    return new RivalPayloads(
      {
        newDataKey: (arn, context = new Map()) => {
          const dataKey = randomBytes(32);
          return { plaintext: dataKey, ciphertext: this.kms.wrap(arn, dataKey, Object.fromEntries(context)) };
        },
      },
      serializePayload(jsonPlain(plaintext)),
    );
  }

  /** A token of the issuer, valid by the target's clock; by default one that may decode `orders`. */
  token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
    const now = Math.floor(this.target.now() / 1000);
    return this.issuer.token({ email: 'alice@acme.com', iat: now - 60, exp: now + 600, ...claims }, header);
  }

  /** The claims of a valid token, for signing in other ways. */
  claims(change: Record<string, unknown> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    const { issuer: iss } = this.issuer;
    return { iss, sub: 'user|alice', aud: 'codec', iat: now - 60, exp: now + 600, email: 'alice@acme.com', ...change };
  }

  #config(): AttackConfig {
    const issuer = { type: 'oidc', issuer: this.issuer.issuer, jwksUri: this.issuer.jwksUri } as const;
    const ours = { issuer: this.issuer.issuer };
    return {
      identity: {
        issuers: [
          { ...issuer, audience: 'codec', from: 'authorization' },
          { ...issuer, audience: 'web-ui', from: 'authorization-extras' },
          {
            type: 'oidc',
            issuer: this.partner.issuer,
            jwksUri: this.partner.jwksUri,
            audience: 'codec',
            from: 'authorization',
          },
        ],
        serviceTokens: { secret: 'created-by-stack' },
        temporalCloudRoles: { apiKey: { secret: 'created-by-stack' }, endpoint: this.roles.origin },
      },
      access: [
        { name: 'alice', namespaces: ['orders'], people: [{ email: 'alice@acme.com', ...ours }], allow: ['decode'] },
        {
          name: 'team',
          namespaces: ['orders'],
          people: [{ emailDomain: 'team.acme.com', ...ours }],
          allow: ['decode'],
        },
        {
          name: 'permissions',
          namespaces: ['*'],
          people: [{ claim: 'permissions', includes: '{namespace}:read', ...ours }],
          allow: ['decode'],
        },
        { name: 'roles', namespaces: ['orders'], people: [{ temporalCloudRole: 'read', ...ours }], allow: ['decode'] },
        {
          name: 'partner',
          namespaces: ['partner'],
          people: [{ emailDomain: 'acme.com', issuer: this.partner.issuer }],
          allow: ['decode'],
        },
        { name: 'reader', namespaces: ['orders'], people: [{ serviceToken: 'reader' }], allow: ['decode'] },
        { name: 'writer', namespaces: ['*'], people: [{ serviceToken: 'writer' }], allow: ['encode'] },
      ],
      origin: ORIGIN,
      serviceTokens: this.serviceTokens,
      keys: [
        { namespaces: ['*'], write: this.sharedKey },
        {
          namespaces: ['orders'],
          write: null,
          read: [this.oldKey],
          foreignFormats: ['temporal-proxy', 'kms-python-sample'],
          keyUriContexts: [{ application: 'orders' }],
        },
      ],
      kms: this.kms,
      cloudApiKey: this.roles.apiKey,
      certificate: testCertificate().cert,
    };
  }

  /** A message of the official library's default suite, which signs: 0x0578. */
  async signed(namespace: string): Promise<Payload> {
    const client = (region: string) => new KMS({ ...this.kms.client, region }) as unknown as AwsEsdkKMSInterface;
    const keyring = new KmsKeyringNode({ clientProvider: client, generatorKeyId: this.sharedKey });
    const { result } = await official.encrypt(keyring, serializePayload(jsonPlain(PLAINTEXT)), {
      encryptionContext: { 'temporal-namespace': namespace },
    });
    return payloadOf({ encoding: 'binary/aws-encryption-sdk' }, result);
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
