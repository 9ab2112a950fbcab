/**
 * The bounds that docs/access.md, keys.md and sign-in.md state, held by an instance that Lambda freezes
 * between any two requests: the process stands still and all its clocks move on. Nothing can happen in
 * between, so whatever a bound depends on has to happen when the next request arrives.
 */
import { createCipheriv, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { serializePayload } from '../../codec/payload.ts';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { CloudOps, cloudUser } from '../support/cloud-ops.ts';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { until } from '../support/patience.ts';
import { SecretsManagerStandIn } from '../support/secrets-manager-stand-in.ts';
import { environmentWith } from './environment.ts';
import type { FrontUnderTest } from './fronts.ts';
import { SignInEnvironment } from './support/sign-in-environment.ts';
import { type Deployed, startDeployed } from './support/start-deployed.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const base64 = (data: string | Uint8Array) => Buffer.from(data).toString('base64');
const PLAINTEXT = base64('what only some may read');
const PLAIN = JSON.stringify({ payloads: [{ metadata: { encoding: base64('binary/plain') }, data: PLAINTEXT }] });
const STATIC_KEY = randomBytes(32);

/** A payload of the Go sample's format, under {@link STATIC_KEY}. */
function underStaticKey(): string {
  const inner = serializePayload({
    metadata: { encoding: Buffer.from('binary/plain') },
    data: Buffer.from(PLAINTEXT, 'base64'),
  });
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', STATIC_KEY, nonce);
  const data = Buffer.concat([nonce, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
  const metadata = { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('old') };
  return JSON.stringify({ payloads: [{ metadata, data: base64(data) }] });
}

/** @param behind the front that the stack has; the HTTP API unless given */
export function describeFreezes(behind?: FrontUnderTest): void {
  const where = behind === undefined ? '' : `, behind ${behind.name}`;
  describeInstance(where, behind);
  describeSession(where, behind);
}

function describeInstance(where: string, behind: FrontUnderTest | undefined): void {
  describe(`an instance that is frozen between any two requests${where}`, () => {
    const ci = makeServiceToken('ci');
    const TOKENS = JSON.stringify({ tokens: [ci.entry] });
    const STATIC_KEYS = JSON.stringify({
      keys: [{ id: 'old', key: STATIC_KEY.toString('base64'), namespaces: ['orders'] }],
    });
    let issuer: HttpsIssuer;
    let api: CloudOps;
    let kms: KmsStandIn;
    let secrets: SecretsManagerStandIn;
    let deployed: Deployed;
    /** How far the instance's clocks have moved on. */
    let moved = 0;

    beforeAll(async () => {
      [issuer, api, kms, secrets] = await Promise.all([
        HttpsIssuer.start(),
        CloudOps.start(),
        KmsStandIn.start(),
        SecretsManagerStandIn.start(),
      ]);
      const config = environmentWith(
        {
          identity: {
            issuers: [
              {
                type: 'oidc',
                issuer: issuer.issuer,
                jwksUri: issuer.jwksUri,
                audience: 'codec',
                from: 'authorization',
              },
            ],
            serviceTokens: { secret: 'created-by-stack' },
            temporalCloudRoles: { apiKey: { secret: 'created-by-stack' }, endpoint: api.origin },
          },
          access: [
            {
              name: 'all',
              namespaces: ['*'],
              people: [{ email: 'alice@example.com' }, { serviceToken: 'ci' }],
              allow: ['decode', 'encode'],
            },
            { name: 'by role', namespaces: ['*'], people: [{ temporalCloudRole: 'read' }], allow: ['decode'] },
          ],
          keys: {
            keyring: null,
            kms: [{ namespaces: ['*'], write: 'created-by-stack' }],
            staticKeys: { secret: 'created-by-stack' },
          },
        },
        behind?.front,
      );
      deployed = await startDeployed(config, {
        ...(behind === undefined ? {} : { from: behind.from }),
        kms,
        secrets,
        trust: [testCertificate().cert],
        freezes: true,
        secretTexts: { SecretsServiceTokens: TOKENS, SecretsStaticKeys: STATIC_KEYS, SecretsCloudApiKey: api.apiKey },
      });
    });

    afterAll(async () => {
      await deployed.close();
      await Promise.all([issuer, api, kms, secrets].map((it) => it.close()));
    });

    beforeEach(async () => {
      kms.trouble = () => 'ok';
      secrets.trouble = () => 'ok';
      issuer.mood = { kind: 'in-order' };
      api.mood = { kind: 'in-order' };
      api.users = [cloudUser('reader@example.com', 'ROLE_READ', { orders: 'PERMISSION_READ' })];
      secrets.putSecretValue(deployed.secretArn('SecretsServiceTokens'), TOKENS);
      secrets.putSecretValue(deployed.secretArn('SecretsStaticKeys'), STATIC_KEYS);
      await deployed.lambda.coolDown();
      moved = 0;
    });

    /** Waits for the end of what is on its way, and freezes the instance. */
    async function freeze(milliseconds: number): Promise<void> {
      const [instance] = deployed.lambda.instances;
      if (instance === undefined) throw new Error('there is no instance to freeze');
      await deployed.lambda.idle();
      await instance.freeze(milliseconds);
      moved += milliseconds;
    }

    function token(email: string, seconds = 12 * 3600): string {
      const now = Math.floor((Date.now() + moved) / 1000);
      return issuer.token({ email, iat: now - 60, exp: now + seconds });
    }

    async function ask(path: string, body: string, credential: string) {
      const answer = await fetch(`${deployed.endpoint}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-namespace': 'orders',
          authorization: `Bearer ${credential}`,
        },
        body,
      });
      const text = await answer.text();
      return { status: answer.status, text, opened: text.includes(PLAINTEXT) };
    }

    const alive = () => fetch(`${deployed.endpoint}/healthz`);
    const encoded = async () => (await ask('/encode', PLAIN, ci.token)).text;

    it.each([
      ['every minute', MINUTE],
      ['every 16 minutes', 16 * MINUTE],
      ['every 6 hours', 6 * HOUR],
    ])('believes a withdrawn signing key for 15 minutes and no longer, asked %s', async (_, pause) => {
      const old = token('alice@example.com');
      expect((await ask('/decode', '{}', old)).status).toBe(200);
      issuer.rotate({ keepOld: false });
      for (let passed = 0; passed <= 20 * MINUTE || passed === pause; passed += pause) {
        const withOld = (await ask('/decode', '{}', old)).status;
        if (passed > 15 * MINUTE) expect(withOld).toBe(401);
        expect((await ask('/decode', '{}', token('alice@example.com'))).status).toBe(200);
        await freeze(pause);
      }
      expect((await ask('/decode', '{}', old)).status).toBe(401);
    });

    it.each([1.5 * SECOND, 2.8 * SECOND, 3.5 * SECOND, MINUTE, HOUR])(
      'is locked out by no fetch of keys that died in a freeze of %s ms',
      async (length) => {
        issuer.mood = { kind: 'hangs' };
        const asked = issuer.requests;
        expect((await alive()).status).toBe(200);
        await until(() => issuer.requests > asked, 'nothing was asked');
        await freeze(length);
        issuer.mood = { kind: 'in-order' };
        expect((await ask('/decode', '{}', token('alice@example.com'))).status).toBe(200);
      },
    );

    it('believes keys of an issuer that cannot be reached for 12 hours and no longer', async () => {
      expect((await ask('/decode', '{}', token('alice@example.com'))).status).toBe(200);
      issuer.mood = { kind: 'cut-off' };
      await freeze(12 * HOUR - MINUTE);
      expect((await ask('/decode', '{}', token('alice@example.com'))).status).toBe(200);
      await freeze(2 * MINUTE);
      expect((await ask('/decode', '{}', token('alice@example.com'))).status).toBe(503);
      issuer.mood = { kind: 'in-order' };
      await freeze(MINUTE);
      expect((await ask('/decode', '{}', token('alice@example.com'))).status).toBe(200);
    });

    it('accepts a token for 30 seconds after its end and no longer', async () => {
      const short = token('alice@example.com', 60);
      expect((await ask('/decode', '{}', short)).status).toBe(200);
      await freeze(65 * SECOND);
      expect((await ask('/decode', '{}', short)).status).toBe(200);
      await freeze(30 * SECOND);
      expect((await ask('/decode', '{}', short)).status).toBe(401);
    });

    it('accepts a removed service token for 5 minutes and no longer', async () => {
      expect((await ask('/decode', '{}', ci.token)).status).toBe(200);
      secrets.putSecretValue(deployed.secretArn('SecretsServiceTokens'), '{"tokens":[]}');
      await freeze(5 * MINUTE + SECOND);
      expect((await ask('/decode', '{}', ci.token)).status).toBe(401);
    });

    it.each([
      ['a trailing comma', TOKENS.replace(']}', ',]}'), 'it is not valid JSON'],
      ['a digest that is none', TOKENS.replace(ci.entry.sha256, ci.entry.sha256.slice(1)), 'tokens[0].sha256 must be'],
    ])('accepts no token of a list with %s for longer than 5 minutes, and says at once why', async (_, text, why) => {
      expect((await ask('/decode', '{}', ci.token)).status).toBe(200);
      secrets.putSecretValue(deployed.secretArn('SecretsServiceTokens'), text);
      await freeze(5 * MINUTE + SECOND);
      expect((await ask('/decode', '{}', ci.token)).status).toBe(503);
      await deployed.lambda.logged((line) => line.includes('a secret cannot be used') && line.includes(why));
      await deployed.lambda.logged((line) => line.includes('"SecretsUnusable":1'));
      secrets.putSecretValue(deployed.secretArn('SecretsServiceTokens'), TOKENS);
      await freeze(6 * SECOND);
      expect((await ask('/decode', '{}', ci.token)).status).toBe(200);
    });

    it('accepts service tokens for an hour more while Secrets Manager cannot be reached, and no longer', async () => {
      expect((await ask('/decode', '{}', ci.token)).status).toBe(200);
      secrets.trouble = () => ({ exception: 'InternalServiceError', status: 500 });
      await freeze(64 * MINUTE);
      expect((await ask('/decode', '{}', ci.token)).status).toBe(200);
      await freeze(2 * MINUTE);
      expect((await ask('/decode', '{}', ci.token)).status).toBe(503);
    });

    it('is locked out by no reading of a secret that died in a freeze', async () => {
      secrets.trouble = () => 'hang';
      const asked = secrets.calls.length;
      expect((await alive()).status).toBe(200);
      await until(() => secrets.calls.length > asked, 'nothing was asked');
      await freeze(4 * SECOND);
      secrets.trouble = () => 'ok';
      expect((await ask('/decode', '{}', ci.token)).status).toBe(200);
    });

    it('opens under a static key that was taken out for 5 minutes and no longer', async () => {
      const sealed = underStaticKey();
      expect((await ask('/decode', sealed, ci.token)).opened).toBe(true);
      secrets.putSecretValue(deployed.secretArn('SecretsStaticKeys'), '{"keys":[]}');
      await freeze(5 * MINUTE + SECOND);
      expect(await ask('/decode', sealed, ci.token)).toMatchObject({ status: 200, opened: false });
    });

    it('grants a Temporal Cloud role that was taken away for 300 seconds and no longer', async () => {
      const sealed = await encoded();
      expect((await ask('/decode', sealed, token('reader@example.com'))).opened).toBe(true);
      api.users = [];
      await freeze(200 * SECOND);
      expect((await ask('/decode', sealed, token('reader@example.com'))).opened).toBe(true);
      await freeze(101 * SECOND);
      expect(await ask('/decode', sealed, token('reader@example.com'))).toMatchObject({ status: 200, opened: false });
    });

    it('grants a role for 15 minutes more while the Cloud Ops API is out, and no longer', async () => {
      const sealed = await encoded();
      expect((await ask('/decode', sealed, token('reader@example.com'))).opened).toBe(true);
      api.mood = { kind: 'status', status: 500 };
      await freeze(19 * MINUTE);
      expect((await ask('/decode', sealed, token('reader@example.com'))).opened).toBe(true);
      await freeze(2 * MINUTE);
      expect((await ask('/decode', sealed, token('reader@example.com'))).status).toBe(503);
      api.mood = { kind: 'in-order' };
      await freeze(31 * SECOND);
      expect((await ask('/decode', sealed, token('reader@example.com'))).opened).toBe(true);
    });

    it('opens under a KMS key that is disabled for 300 seconds and no longer', async () => {
      const sealed = await encoded();
      const key = deployed.keyArn ?? '';
      try {
        kms.setState(key, 'disabled');
        await freeze(250 * SECOND);
        expect((await ask('/decode', sealed, ci.token)).opened).toBe(true);
        await freeze(51 * SECOND);
        expect(await ask('/decode', sealed, ci.token)).toMatchObject({ status: 200, opened: false });
      } finally {
        kms.setState(key, 'enabled');
      }
      await freeze(11 * SECOND);
      expect((await ask('/decode', sealed, ci.token)).opened).toBe(true);
    });

    it('is locked out by no call to KMS that died in a freeze', async () => {
      const sealed = await encoded();
      await deployed.lambda.coolDown();
      moved = 0;
      // Readiness is proven at the start, and its call to KMS is what freezes.
      kms.trouble = () => 'hang';
      const asked = kms.calls.length;
      expect((await alive()).status).toBe(200);
      await until(() => kms.calls.length > asked, 'nothing was asked');
      await freeze(MINUTE);
      kms.trouble = () => 'ok';
      expect((await fetch(`${deployed.endpoint}/readyz`)).status).toBe(200);
      expect((await ask('/decode', sealed, ci.token)).opened).toBe(true);
    });
  });
}

function describeSession(where: string, behind: FrontUnderTest | undefined): void {
  describe(`a sign-in session on an instance that is frozen between any two requests${where}`, () => {
    let environment: SignInEnvironment;
    let secrets: SecretsManagerStandIn;

    beforeAll(async () => {
      secrets = await SecretsManagerStandIn.start();
      environment = await SignInEnvironment.start({ behind, secrets, freezes: true });
    });

    afterAll(async () => {
      await environment.close();
      await secrets.close();
    });

    beforeEach(() => environment.deployed.lambda.coolDown());

    async function freeze(milliseconds: number): Promise<void> {
      const [instance] = environment.deployed.lambda.instances;
      if (instance === undefined) throw new Error('there is no instance to freeze');
      await environment.deployed.lambda.idle();
      await instance.freeze(milliseconds);
    }

    const statusWith = async (session: string) => (await environment.decode(environment.browserWith(session))).status;

    it('ends when it was not used for 3,600 seconds', async () => {
      const session = await environment.signIn();
      await freeze(3_500 * SECOND);
      expect(await statusWith(session)).toBe(200);
      await freeze(101 * SECOND);
      expect(await statusWith(session)).toBe(401);
    });

    it.each([
      ['in UTC', (at: Date) => at.toISOString()],
      ['with an offset', (at: Date) => `${new Date(at.getTime() + 2 * HOUR).toISOString().slice(0, 19)}+02:00`],
      ['that is not a time', () => 'tomorrow'],
    ])('ends within 60 seconds of a validFrom %s', async (_, text) => {
      const session = await environment.signIn();
      expect(await statusWith(session)).toBe(200);
      const arn = environment.deployed.secretArn('SecretsSessionKeys');
      const document = JSON.parse(secrets.text(arn)) as Record<string, unknown>;
      secrets.putSecretValue(arn, JSON.stringify({ ...document, validFrom: text(new Date(Date.now() + SECOND)) }));
      try {
        await freeze(61 * SECOND);
        expect(await statusWith(session)).not.toBe(200);
      } finally {
        secrets.putSecretValue(arn, JSON.stringify(document));
      }
    });
  });
}
