/**
 * The team's identity provider: OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636). The
 * one file that knows `openid-client`, which is loaded when somebody signs in and not before.
 *
 * The library does the protocol: discovery, state, nonce, the issuer of the answer (RFC 9207), the claims of
 * the ID token. The ID token's signature is verified by the same code as every other token here, so
 * that nobody is let in while the provider's keys cannot be had.
 */
import type { Configuration, CustomFetch, ServerMetadata } from 'openid-client';
import { Backoff } from '../../../codec/calls/backoff.ts';
import { ageOf } from '../../../codec/calls/clock.ts';
import { SingleFlight } from '../../../codec/calls/single-flight.ts';
import type { SecretSource } from '../../../codec/keys/secrets/secret-source.ts';
import type { SignInConfig } from '../../../config/schema.ts';
import type { ProviderObserver } from '../audit/observe.ts';
import { type Caller, IdentityUnavailableError, UnauthenticatedError } from '../auth/caller.ts';
import { type HttpsGet, HttpsGetError } from '../auth/https-get.ts';
import type { LookupObserver } from '../auth/issuer-keys.ts';
import { TokenVerifier } from '../auth/tokens.ts';

/** What has to come back with the browser; secret until then. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  /** PKCE's code verifier. */
  readonly verifier: string;
}

/** Somebody came back without having signed in; the message is for them. */
export class SignInRefusedError extends Error {
  override readonly name = 'SignInRefusedError';
  /** How the provider refused the exchange, such as `invalid_client`; undefined where it did not. */
  readonly code: string | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly code?: string | undefined }) {
    super(message, options);
    this.code = options?.code;
  }
}

export interface ProviderDeps {
  readonly get: HttpsGet;
  /** Undefined for a public client. */
  readonly clientSecret: SecretSource<string> | undefined;
  readonly clockLeewaySeconds: number | undefined;
  readonly onKeyFetch?: LookupObserver | undefined;
  readonly onProvider?: ProviderObserver | undefined;
}

type Library = typeof import('openid-client');

/** What the discovery document says, and a verifier of the ID tokens of who says it. */
interface Discovered {
  readonly metadata: ServerMetadata;
  readonly tokens: TokenVerifier;
  readonly at: number;
}

const DEFAULT_SCOPES = ['openid', 'email', 'profile'];
/** How long a discovery document is believed; providers move their endpoints once in years. */
const DISCOVERY_TTL_MS = 3_600_000;
/** How long after a failure nobody asks again: anybody can open the sign-in page. */
const BACKOFF = { firstMs: 2_000, mostMs: 2_000 };
const TIMEOUT_MS = 4_000;
const MAX_ANSWER_BYTES = 262_144;
/** Exchanges at a time; whoever begins a sign-in can come back with a made-up code… */
const MAX_CALLS = 40;
/** …so one address has few of them, and the others stay for everybody else. */
const MAX_CALLS_PER_ADDRESS = 4;

/** The identity provider that people sign in at, asked by OpenID Connect. */
export class Provider {
  readonly #config: SignInConfig;
  readonly #deps: ProviderDeps;
  readonly #fetch: CustomFetch;
  #discovered: Discovered | undefined;
  readonly #discovering = new SingleFlight<Discovered>();
  readonly #backoff = new Backoff(BACKOFF);
  #calls = 0;
  readonly #callsByAddress = new Map<string, number>();

  constructor(config: SignInConfig, deps: ProviderDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#fetch = fetchBy(deps.get);
  }

  /**
   * Where to send a browser, and what it has to come back with.
   *
   * @throws IdentityUnavailableError when the provider cannot be asked how to sign in
   */
  begin(): Promise<{ readonly url: string; readonly secrets: SignInSecrets }> {
    return this.#observed(this.#begin());
  }

  /**
   * Who came back, proven by the provider.
   *
   * @param query the raw query that the browser came back with
   * @param address that it came from, as far as it is known
   * @throws SignInRefusedError when it does not belong to these secrets, or the provider said no
   * @throws UnauthenticatedError when the ID token is not valid
   * @throws IdentityUnavailableError when the provider or its keys are out of reach
   */
  finish(query: string, secrets: SignInSecrets, address?: string): Promise<Caller> {
    return this.#observed(this.#finish(query, secrets, address));
  }

  /** Tells of what whoever runs the server has to know: the person is told less. */
  async #observed<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      const isRefused = error instanceof SignInRefusedError && error.code !== undefined;
      const isOut = error instanceof IdentityUnavailableError && error.dependency === 'provider';
      if (isRefused) this.#deps.onProvider?.('refused', error, error.code);
      else if (isOut && error.cause !== undefined) this.#deps.onProvider?.('unavailable', error);
      throw error;
    }
  }

  async #begin(): Promise<{ readonly url: string; readonly secrets: SignInSecrets }> {
    const client = await import('openid-client');
    const configuration = this.#configuration(client, await this.#discover(client), undefined);
    const secrets = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      response_type: 'code',
      scope: (this.#config.scopes ?? DEFAULT_SCOPES).join(' '),
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(secrets.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, secrets };
  }

  async #finish(query: string, secrets: SignInSecrets, address = ''): Promise<Caller> {
    // Before anything is asked of the provider: this browser's own state, once, and something to exchange.
    const answer = new URLSearchParams(query);
    const states = answer.getAll('state');
    if (states.length !== 1 || states[0] !== secrets.state || !(answer.has('code') || answer.has('error')))
      throw new SignInRefusedError('What came back does not belong to this sign-in.');
    const ofAddress = this.#callsByAddress.get(address) ?? 0;
    if (this.#calls >= MAX_CALLS || ofAddress >= MAX_CALLS_PER_ADDRESS) throw unavailable();
    this.#calls++;
    this.#callsByAddress.set(address, ofAddress + 1);
    try {
      const client = await import('openid-client');
      const discovered = await this.#discover(client);
      const clientSecret = await this.#deps.clientSecret?.get();
      const idToken = await this.#exchange(
        client,
        this.#configuration(client, discovered, clientSecret),
        query,
        secrets,
      );
      return await discovered.tokens.verify(idToken, 'authorization');
    } finally {
      this.#calls--;
      const left = (this.#callsByAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#callsByAddress.delete(address);
      else this.#callsByAddress.set(address, left);
    }
  }

  get #redirectUri(): string {
    return `${this.#config.publicUrl}/callback`;
  }

  /** @returns the ID token, whose claims are checked and whose signature is not */
  async #exchange(
    client: Library,
    configuration: Configuration,
    query: string,
    { state, nonce, verifier }: SignInSecrets,
  ): Promise<string> {
    try {
      const answer = await client.authorizationCodeGrant(configuration, new URL(`${this.#redirectUri}?${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      return answer.id_token ?? '';
    } catch (error) {
      throw httpErrorOf(client, error);
    }
  }

  #configuration(client: Library, { metadata }: Discovered, secret: string | undefined): Configuration {
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const withSecret = methods.includes('client_secret_basic') ? client.ClientSecretBasic : client.ClientSecretPost;
    const configuration = new client.Configuration(
      metadata,
      this.#config.clientId,
      { [client.clockTolerance]: this.#deps.clockLeewaySeconds ?? 30 },
      secret === undefined ? client.None() : withSecret(secret),
    );
    configuration[client.customFetch] = this.#fetch;
    return configuration;
  }

  /** One call for all; a failure is remembered for a moment. */
  async #discover(client: Library): Promise<Discovered> {
    const known = this.#discovered;
    if (known !== undefined && ageOf(known.at, Date.now()) < DISCOVERY_TTL_MS) return known;
    if (this.#backoff.isOn && !this.#discovering.isUnderWay) return known ?? Promise.reject(unavailable());
    try {
      return await this.#discovering.run(
        () => this.#ask(client),
        () => this.#backoff.failed(),
      );
    } catch (error) {
      if (known !== undefined) return known;
      throw error;
    }
  }

  async #ask(client: Library): Promise<Discovered> {
    const { issuer, clientId, algorithms, emailClaim } = this.#config;
    let metadata: ServerMetadata;
    try {
      const options = { [client.customFetch]: this.#fetch };
      metadata = (
        await client.discovery(new URL(issuer), clientId, undefined, client.None(), options)
      ).serverMetadata();
    } catch (cause) {
      throw unavailable({ cause: new HttpsGetError(`${issuer} does not give its discovery document`, { cause }) });
    }
    const { jwks_uri: jwksUri, authorization_endpoint: authorization, token_endpoint: token } = metadata;
    const isWhole = [jwksUri, authorization, token].every((url) => url?.startsWith('https://') === true);
    if (metadata.issuer !== issuer || jwksUri === undefined || !isWhole) {
      throw unavailable({
        cause: new HttpsGetError(
          `the discovery document of ${issuer} is of another issuer, or lacks an https endpoint`,
        ),
      });
    }
    const tokens = new TokenVerifier(
      {
        issuers: [
          {
            type: 'oidc',
            issuer,
            jwksUri,
            audience: clientId,
            from: 'authorization',
            ...(algorithms === undefined ? {} : { algorithms }),
            ...(emailClaim === undefined ? {} : { emailClaim }),
          },
        ],
        serviceTokens: null,
        ...(this.#deps.clockLeewaySeconds === undefined ? {} : { clockLeewaySeconds: this.#deps.clockLeewaySeconds }),
      },
      { get: this.#deps.get, onKeyFetch: this.#deps.onKeyFetch },
    );
    this.#backoff.succeeded();
    this.#discovered = { metadata, tokens, at: Date.now() };
    return this.#discovered;
  }
}

/** The fetch of the library, bounded as everything that identity asks for: time, size, no redirects. */
function fetchBy(get: HttpsGet): CustomFetch {
  return async (url, { method, headers, body }) => {
    if (method !== 'GET' && method !== 'POST') throw new TypeError(`unexpected method ${method}`);
    const answer = await get(url, {
      headers,
      post: method === 'POST' ? String(body ?? '') : undefined,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const isEmpty = answer.status === 204 || answer.status === 304;
    return new Response(isEmpty ? null : answer.body, {
      status: answer.status,
      headers: answer.contentType === '' ? {} : { 'content-type': answer.contentType },
    });
  };
}

/** What an error of the library means to the person: try later, or start again. */
function httpErrorOf(client: Library, error: unknown): Error {
  if (error instanceof client.AuthorizationResponseError) {
    const code = oauthCode(error.error);
    const said = code === undefined ? '' : ` (${code})`;
    return new SignInRefusedError(`The identity provider did not sign you in${said}.`, { cause: error });
  }
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof HttpsGetError) return unavailable({ cause: error });
  }
  const status = error instanceof client.ResponseBodyError ? error.status : statusOf(error);
  if (status !== undefined && (status >= 500 || status === 429)) return unavailable({ cause: error });
  if (error instanceof UnauthenticatedError) return error;
  const code = error instanceof client.ResponseBodyError ? oauthCode(error.error) : undefined;
  const isOurFault = code === 'invalid_client' || code === 'unauthorized_client';
  const message = isOurFault
    ? 'The identity provider does not accept this codec server: whoever runs it has to check its client id and client secret.'
    : 'What the identity provider answered does not belong to this sign-in.';
  return new SignInRefusedError(message, { cause: error, code });
}

/** An error code of OAuth (RFC 6749 section 5.2), unless it is some other text. */
function oauthCode(text: string): string | undefined {
  return /^[a-z_]{1,40}$/.test(text) ? text : undefined;
}

function statusOf(error: unknown): number | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Response ? cause.status : undefined;
}

function unavailable(options?: ErrorOptions): IdentityUnavailableError {
  return new IdentityUnavailableError('provider', 'the identity provider does not answer at the moment', 5, options);
}
