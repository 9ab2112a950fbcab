/** An environment with sign-in, synthesized and served over HTTPS, with its identity provider and ciphertext to read. */
import type { DomainConfig } from '../../../config/environment.ts';
import type { AccessRule } from '../../../config/schema.ts';
import { makeServiceToken } from '../../../lambda/server/auth/service-tokens.ts';
import { type BrowserAnswer, BrowserLike } from '../../support/browser-like.ts';
import { testCertificate } from '../../support/https-stand-in.ts';
import { CODEC_CLIENT, CODEC_CLIENT_SECRET, IdentityProvider } from '../../support/identity-provider.ts';
import { jsonPlain, toJson } from '../../support/payloads.ts';
import { ALICE, freeLoopbackPort, SESSION, UI_ORIGIN } from '../../support/sign-in-world.ts';
import { environmentWith } from '../environment.ts';
import type { FrontUnderTest } from '../fronts.ts';
import { type Deployed, type DeployOptions, startDeployed } from './start-deployed.ts';

/** What Alice reads, and nobody without her session. */
export const PLAIN = JSON.stringify({ payloads: [toJson(jsonPlain('the order that Alice reads'))] });

const ACCESS: readonly AccessRule[] = [
  { name: 'order desk', namespaces: ['orders'], people: [{ email: ALICE.email }], allow: ['decode'] },
  { name: 'writers', namespaces: ['*'], people: [{ serviceToken: 'writer' }], allow: ['encode'] },
];

/** A REST API has its stage in every path, and a sign-in wants none: it needs a name of its own. */
const DOMAIN: DomainConfig = {
  name: 'codec.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-4000-8000-000000000000',
  hostedZone: null,
  keepDefaultEndpoint: true,
};

interface SignInOptions extends Pick<DeployOptions, 'kms' | 'secrets' | 'freezes'> {
  /** Default: the HTTP API, without a domain. */
  readonly behind?: FrontUnderTest | undefined;
}

export class SignInEnvironment {
  readonly provider: IdentityProvider;
  readonly deployed: Deployed;
  /** As a browser knows it. */
  readonly endpoint: string;
  readonly #writer: string;
  #sealed = '';

  private constructor(provider: IdentityProvider, deployed: Deployed, endpoint: string, writer: string) {
    this.provider = provider;
    this.deployed = deployed;
    this.endpoint = endpoint;
    this.#writer = writer;
  }

  /** Stand-ins for KMS and Secrets Manager, unless they are given. */
  static async start({ behind, ...services }: SignInOptions = {}): Promise<SignInEnvironment> {
    const port = await freeLoopbackPort();
    const publicUrl = behind === undefined ? `https://localhost:${port}` : `https://${DOMAIN.name}`;
    const certificate = testCertificate();
    const provider = await IdentityProvider.start({ certificate, redirectUris: [`${publicUrl}/callback`] });
    provider.person = ALICE;
    const writer = makeServiceToken('writer');
    const { deployment, ...rest } = environmentWith(
      {
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
      },
      behind?.front,
    );
    const config = { ...rest, deployment: behind === undefined ? deployment : { ...deployment, domain: DOMAIN } };
    try {
      const deployed = await startDeployed(config, {
        ...services,
        ...(behind === undefined ? {} : { from: behind.from }),
        port,
        tls: certificate,
        trust: [certificate.cert],
        secretTexts: {
          SecretsServiceTokens: JSON.stringify({ tokens: [writer.entry] }),
          SecretsClientSecret: CODEC_CLIENT_SECRET,
        },
      });
      return new SignInEnvironment(provider, deployed, publicUrl, writer.token);
    } catch (error) {
      await provider.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.deployed.close();
    await this.provider.close();
  }

  browser(): BrowserLike {
    const port = Number(new URL(this.deployed.endpoint).port);
    return new BrowserLike(testCertificate().cert, { [DOMAIN.name]: port });
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
