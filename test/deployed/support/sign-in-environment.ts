/** An environment with sign-in, synthesized and served over HTTPS, with its identity provider and ciphertext to read. */
import type { AccessRule } from '../../../config/schema.ts';
import { makeServiceToken } from '../../../lambda/server/auth/service-tokens.ts';
import { type BrowserAnswer, BrowserLike } from '../../support/browser-like.ts';
import { testCertificate } from '../../support/https-stand-in.ts';
import { CODEC_CLIENT, CODEC_CLIENT_SECRET, IdentityProvider } from '../../support/identity-provider.ts';
import { jsonPlain, toJson } from '../../support/payloads.ts';
import { ALICE, freeLoopbackPort, SESSION, UI_ORIGIN } from '../../support/sign-in-world.ts';
import { environmentWith } from '../environment.ts';
import { type Deployed, type DeployOptions, startDeployed } from './start-deployed.ts';

/** What Alice reads, and nobody without her session. */
export const PLAIN = JSON.stringify({ payloads: [toJson(jsonPlain('the order that Alice reads'))] });

const ACCESS: readonly AccessRule[] = [
  { name: 'order desk', namespaces: ['orders'], people: [{ email: ALICE.email }], allow: ['decode'] },
  { name: 'writers', namespaces: ['*'], people: [{ serviceToken: 'writer' }], allow: ['encode'] },
];

export class SignInEnvironment {
  readonly provider: IdentityProvider;
  readonly deployed: Deployed;
  readonly #writer: string;
  #sealed = '';

  private constructor(provider: IdentityProvider, deployed: Deployed, writer: string) {
    this.provider = provider;
    this.deployed = deployed;
    this.#writer = writer;
  }

  /** @param services where KMS and Secrets Manager are; stand-ins unless given */
  static async start(services: Pick<DeployOptions, 'kms' | 'secrets' | 'freezes'> = {}): Promise<SignInEnvironment> {
    const port = await freeLoopbackPort();
    const publicUrl = `https://localhost:${port}`;
    const certificate = testCertificate();
    const provider = await IdentityProvider.start({ certificate, redirectUris: [`${publicUrl}/callback`] });
    provider.person = ALICE;
    const writer = makeServiceToken('writer');
    const config = environmentWith({
      cors: { origins: [UI_ORIGIN], credentials: true },
      identity: {
        issuers: [],
        serviceTokens: { secret: 'created-by-stack' },
        signIn: {
          issuer: provider.issuer,
          clientId: CODEC_CLIENT,
          clientSecret: { secret: 'created-by-stack' },
          publicUrl,
          sessionKeys: { secret: 'created-by-stack' },
        },
      },
      access: ACCESS,
    });
    try {
      const deployed = await startDeployed(config, {
        ...services,
        port,
        tls: certificate,
        trust: [certificate.cert],
        secretTexts: {
          SecretsServiceTokens: JSON.stringify({ tokens: [writer.entry] }),
          SecretsClientSecret: CODEC_CLIENT_SECRET,
        },
      });
      return new SignInEnvironment(provider, deployed, writer.token);
    } catch (error) {
      await provider.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.deployed.close();
    await this.provider.close();
  }

  get endpoint(): string {
    return this.deployed.endpoint;
  }

  browser(): BrowserLike {
    return new BrowserLike(testCertificate().cert);
  }

  /** A browser with a session, or with the copy of one. */
  browserWith(session: string): BrowserLike {
    const browser = this.browser();
    browser.setCookie(this.endpoint, SESSION, session);
    return browser;
  }

  /** Signs somebody in, all the way through the provider. @returns the session's cookie */
  async signIn(browser: BrowserLike = this.browser()): Promise<string> {
    const answer = await browser.open(`${this.endpoint}/login`);
    const cookie = browser.cookie(this.endpoint, SESSION);
    if (cookie === undefined) throw new Error(`nobody was signed in: ${answer.status} ${answer.url} ${answer.body}`);
    return cookie;
  }

  /** What the Web UI asks with credentials switched on. */
  async decode(browser: BrowserLike, headers: Readonly<Record<string, string>> = {}): Promise<BrowserAnswer> {
    this.#sealed ||= await this.#encode();
    return browser.post(`${this.endpoint}/decode`, this.#sealed, {
      'content-type': 'application/json',
      'x-namespace': 'orders',
      origin: UI_ORIGIN,
      ...headers,
    });
  }

  async #encode(): Promise<string> {
    const { status, body } = await this.browser().post(`${this.endpoint}/encode`, PLAIN, {
      'content-type': 'application/json',
      'x-namespace': 'orders',
      authorization: `Bearer ${this.#writer}`,
    });
    if (status !== 200) throw new Error(`the function does not encode: ${status} ${body}`);
    return body;
  }
}
