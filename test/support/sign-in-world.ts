/** A codec server with its own sign-in over HTTPS, its identity provider, and ciphertext to read with a session. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeySource } from '../../codec/keys/key-source.ts';
import type { AccessRule, CodecServerConfig, SignInConfig } from '../../config/schema.ts';
import local from '../../environments/local.ts';
import { type LocalServer, startLocalServer } from '../../lambda/node/local-server.ts';
import type { AuditEntry } from '../../lambda/server/audit/audit.ts';
import { allSinks, createAuditLog } from '../../lambda/server/audit/audit.ts';
import { createLogger } from '../../lambda/server/audit/logger.ts';
import { createMetrics } from '../../lambda/server/audit/metrics.ts';
import { observeIdentity } from '../../lambda/server/audit/observe.ts';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { openIdentity } from '../../lambda/server/open-identity.ts';
import { openServerKeys } from '../../lambda/server/open-keys.ts';
import { type BrowserAnswer, BrowserLike } from './browser-like.ts';
import { standInGet, testCertificate } from './https-stand-in.ts';
import { CODEC_CLIENT, CODEC_CLIENT_SECRET, IdentityProvider } from './identity-provider.ts';
import { jsonPlain, toJson } from './payloads.ts';

export const UI_ORIGIN = 'https://temporal.example.com';
export const SIGN_IN_PLAINTEXT = 'the-plaintext-behind-the-session';
export const ALICE = { sub: 'user|alice', email: 'alice@acme.com', email_verified: true, name: 'Alice' };
export const MALLORY = { sub: 'user|mallory', email: 'mallory@evil.example', email_verified: true };
export const SESSION = '__Host-codec-server-session';
export const SIGN_IN = '__Host-codec-server-sign-in';

export const ACCESS: readonly AccessRule[] = [
  { name: 'order desk', namespaces: ['orders'], people: [{ email: ALICE.email }], allow: ['decode'] },
  {
    name: 'by permission',
    namespaces: ['*'],
    people: [{ claim: 'permissions', includes: '{namespace}:read' }],
    allow: ['decode'],
  },
  { name: 'writers', namespaces: ['*'], people: [{ serviceToken: 'writer' }], allow: ['encode'] },
];

/** A free port of this machine, for an address that has to be known before there is a server. */
export async function freeLoopbackPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export class SignInWorld {
  readonly provider: IdentityProvider;
  readonly publicUrl: string;
  readonly folder: string;
  readonly audit: AuditEntry[] = [];
  readonly bugs: unknown[] = [];
  /** What the server wrote: audit, metrics and the most talkative log. */
  readonly lines: string[] = [];
  readonly writer = makeServiceToken('writer');
  keyCalls = 0;
  body = '';
  #server: LocalServer | undefined;
  #closeKeys = (): void => {};
  readonly #port: number;
  readonly #signIn: Partial<SignInConfig>;

  private constructor(provider: IdentityProvider, port: number, publicUrl: string, signIn: Partial<SignInConfig>) {
    this.provider = provider;
    this.#port = port;
    this.#signIn = signIn;
    this.publicUrl = publicUrl;
    this.folder = mkdtempSync(join(tmpdir(), 'sign-in-'));
  }

  static async start(signIn: Partial<SignInConfig> = {}): Promise<SignInWorld> {
    const port = await freeLoopbackPort();
    const publicUrl = `https://localhost:${port}`;
    const redirectUris = [`${publicUrl}/callback`];
    const provider = await IdentityProvider.start({ certificate: testCertificate(), redirectUris });
    provider.person = ALICE;
    const world = new SignInWorld(provider, port, publicUrl, signIn);
    writeFileSync(join(world.folder, 'client-secret'), CODEC_CLIENT_SECRET, { mode: 0o600 });
    writeFileSync(join(world.folder, 'tokens.json'), JSON.stringify({ tokens: [world.writer.entry] }), { mode: 0o600 });
    await world.serve();
    world.body = await world.#encode();
    return world;
  }

  /** Starts the server, or starts it anew: nothing is left of the one before but its files. */
  async serve(): Promise<void> {
    await this.#server?.close(0);
    this.#closeKeys();
    const config: CodecServerConfig = {
      ...local,
      cors: { origins: [UI_ORIGIN], credentials: true },
      identity: {
        issuers: [],
        serviceTokens: { file: 'tokens.json' },
        signIn: {
          issuer: this.provider.issuer,
          clientId: CODEC_CLIENT,
          clientSecret: { file: 'client-secret' },
          publicUrl: this.publicUrl,
          sessionKeys: { file: 'session-keys.json' },
          ...this.#signIn,
        },
      },
      access: ACCESS,
      keys: { ...local.keys, keyring: { file: 'keyring.json' } },
    };
    const cwd = this.folder;
    const write = (line: string): void => void this.lines.push(line);
    const logger = createLogger(write, 'DEBUG');
    const metrics = createMetrics(write, 'sign-in');
    const opened = await openServerKeys(config.keys, { cwd });
    const identity = await openIdentity(config.identity as NonNullable<typeof config.identity>, {
      cwd,
      httpsGet: standInGet(),
      ...observeIdentity(logger, metrics),
    });
    const counted = <K extends keyof KeySource>(method: K): KeySource[K] =>
      ((...parameters: unknown[]) => {
        this.keyCalls++;
        return (opened.source[method] as (...all: unknown[]) => unknown)(...parameters);
      }) as KeySource[K];
    const onBug = (error: unknown): void => {
      this.bugs.push(error);
      logger.error('a request failed by a bug', {}, error);
    };
    const pipeline = createCodecServer(
      config,
      {
        keys: { ...opened, source: { unwrap: counted('unwrap'), materialsFor: counted('materialsFor') } },
        ...identity,
      },
      {
        audit: allSinks({ record: (entry) => void this.audit.push(entry) }, createAuditLog(write), metrics),
        limits: LOCAL_LIMITS,
        onBug,
      },
    );
    const { cert, key } = testCertificate();
    const bodyBytes = LOCAL_LIMITS.bodyBytes;
    const port = this.#port;
    this.#closeKeys = () => opened.close();
    this.#server = await startLocalServer({ pipeline, cors: config.cors, bodyBytes, port, tls: { cert, key }, onBug });
  }

  async close(): Promise<void> {
    await this.#server?.close(0);
    this.#closeKeys();
    await this.provider.close();
    rmSync(this.folder, { recursive: true });
  }

  browser(): BrowserLike {
    return new BrowserLike(testCertificate().cert);
  }

  /** A browser in which somebody signed in. */
  async signedIn(person: IdentityProvider['person'] = ALICE): Promise<BrowserLike> {
    this.provider.person = person;
    const browser = this.browser();
    const answer = await browser.open(`${this.publicUrl}/login`);
    if (browser.cookie(this.publicUrl, SESSION) === undefined)
      throw new Error(`nobody was signed in: ${answer.status} ${answer.url} ${answer.body}`);
    return browser;
  }

  /** What the Web UI asks with credentials switched on. */
  decode(browser: BrowserLike, headers: Readonly<Record<string, string>> = {}): Promise<BrowserAnswer> {
    return browser.post(`${this.publicUrl}/decode`, this.body, {
      'content-type': 'application/json',
      'x-namespace': 'orders',
      origin: UI_ORIGIN,
      ...headers,
    });
  }

  /** Whether an answer holds the plaintext, plain or in base64. */
  leaks({ body }: { readonly body: string }): boolean {
    const base64 = Buffer.from(JSON.stringify(SIGN_IN_PLAINTEXT)).toString('base64').slice(4, -6);
    return body.includes(SIGN_IN_PLAINTEXT) || body.includes(base64);
  }

  async #encode(): Promise<string> {
    const answer = await this.browser().post(
      `${this.publicUrl}/encode`,
      JSON.stringify({ payloads: [toJson(jsonPlain(SIGN_IN_PLAINTEXT))] }),
      { 'content-type': 'application/json', 'x-namespace': 'orders', authorization: this.writer.token },
    );
    if (answer.status !== 200) throw new Error(`the server does not encode: ${answer.status} ${answer.body}`);
    return answer.body;
  }
}
