import { expect, it } from '@jest/globals';
import { createTerminalLogger } from '../../../../cli/start-log.ts';
import { observeIdentity } from '../../../../lambda/server/audit/observe.ts';
import { type HttpsGet, HttpsGetError } from '../../../../lambda/server/auth/https-get.ts';
import { Provider, SignInRefusedError } from '../../../../lambda/server/sign-in/provider.ts';

const SECRETS = { state: 'the-state', nonce: 'n', verifier: 'v'.repeat(43) };

const CONFIG = {
  issuer: 'https://idp.example.com',
  clientId: 'codec',
  clientSecret: null,
  publicUrl: 'https://codec.example.com',
  sessionKeys: { file: 'session-keys.json' },
} as const;

/** A provider that never answers, and how often it was asked. */
function silentProvider() {
  let asked = 0;
  const provider = new Provider(CONFIG, {
    get: () => {
      asked++;
      return new Promise(() => {});
    },
    clientSecret: undefined,
    clockLeewaySeconds: undefined,
  });
  return { provider, asked: () => asked };
}

it.each(['code=made-up', 'code=made-up&state=another', 'code=a&state=the-state&state=another', 'state=the-state'])(
  'is not asked about a callback that does not belong to the browser: %s',
  async (query) => {
    const { provider, asked } = silentProvider();
    await expect(provider.finish(query, SECRETS, '192.0.2.1')).rejects.toThrow(SignInRefusedError);
    expect(asked()).toBe(0);
  },
);

it('has places for everybody else while one address sends made-up codes and the provider is slow', async () => {
  const { provider } = silentProvider();
  const outcomes: string[] = [];
  const come = (address: string) => {
    provider
      .finish('code=made-up&state=the-state', SECRETS, address)
      .catch((error: Error) => outcomes.push(error.name));
  };
  for (let i = 0; i < 25; i++) come('192.0.2.1');
  await new Promise((resolve) => setImmediate(resolve));
  expect(outcomes).toEqual(Array(21).fill('IdentityUnavailableError'));
  for (let i = 0; i < 4; i++) come('192.0.2.2');
  await new Promise((resolve) => setImmediate(resolve));
  expect(outcomes).toHaveLength(21);
});

it.each<[string, () => Promise<never> | Promise<object>]>([
  ['that cannot be reached', () => Promise.reject(new HttpsGetError('idp.example.com cannot be reached (ENOTFOUND)'))],
  [
    'that answers something else',
    () => Promise.resolve({ status: 404, contentType: 'text/html', body: 'no', retryAfterSeconds: undefined }),
  ],
])('has a provider %s told with its address, in a sentence at the terminal', async (_, get) => {
  const lines: string[] = [];
  const { onProvider } = observeIdentity(
    createTerminalLogger((line) => lines.push(line)),
    undefined,
  );
  const provider = new Provider(CONFIG, {
    get: get as HttpsGet,
    clientSecret: undefined,
    clockLeewaySeconds: undefined,
    onProvider,
  });
  await expect(provider.begin()).rejects.toThrow('does not answer');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/the identity provider cannot be asked: .*https:\/\/idp\.example\.com/);
  expect(lines[0]).not.toMatch(/\bat .*:\d+/);
});
