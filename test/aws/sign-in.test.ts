/** The key of sign-in sessions through its rotations, kept by moto's Secrets Manager and read by the synthesized stack. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignInEnvironment } from '../deployed/support/sign-in-environment.ts';
import { Moto } from '../support/moto.ts';

describe('the key of sign-in sessions, over moto', () => {
  let moto: Moto;
  let environment: SignInEnvironment;
  let sessionKeysArn = '';

  beforeAll(async () => {
    moto = await Moto.start();
    const service = { endpoint: moto.endpoint };
    environment = await SignInEnvironment.start({
      kms: { ...service, createKey: () => moto.createKey() },
      secrets: {
        ...service,
        async createSecret(name, text) {
          const arn = await moto.createSecret(name, text);
          if (name.startsWith('SecretsSessionKeys')) sessionKeysArn = arn;
          return arn;
        },
      },
    });
  });

  afterAll(async () => {
    await environment?.close();
    await moto?.close();
  });

  /** Puts a version in place of the current one, and starts the function anew, which then reads it. */
  async function put(document: { readonly key: string; readonly validFrom?: string }): Promise<void> {
    await moto.putSecretValue(sessionKeysArn, JSON.stringify(document));
    await environment.deployed.lambda.coolDown();
  }

  const newKey = () => randomBytes(32).toString('hex');
  const statusWith = async (session: string) => (await environment.decode(environment.browserWith(session))).status;

  it('opens what was sealed under the version before, and nothing older', async () => {
    const first = await environment.signIn();
    expect(await statusWith(first)).toBe(200);
    await put({ key: newKey() });
    const second = await environment.signIn();
    expect([await statusWith(first), await statusWith(second)]).toEqual([200, 200]);
    await put({ key: newKey() });
    expect([await statusWith(first), await statusWith(second)]).toEqual([401, 200]);
    await put({ key: newKey() });
    expect([await statusWith(first), await statusWith(second)]).toEqual([401, 401]);
  });

  it('is read anew when a cookie comes under a version that the instance has not read', async () => {
    const key = newKey();
    await put({ key });
    const fromElsewhere = await environment.signIn();
    await put({ key: newKey() });
    await put({ key: newKey() });
    await environment.signIn();
    await moto.putSecretValue(sessionKeysArn, JSON.stringify({ key }));
    // The instance reads again at most every five seconds, whatever comes.
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    expect(await statusWith(fromElsewhere)).toBe(200);
  });

  it('ends every session that began before its validFrom, and none that begins after', async () => {
    const key = newKey();
    await put({ key });
    const before = await environment.signIn();
    await put({ key, validFrom: new Date(Date.now() + 1_000).toISOString() });
    expect(await statusWith(before)).toBe(401);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await statusWith(await environment.signIn())).toBe(200);
  });
});
