/**
 * The cookie of a sign-in under way: state, nonce and PKCE verifier, sealed, for ten minutes. Who comes
 * back without it did not start here, in this browser: neither a link that somebody sent them (login
 * CSRF) nor a state that somebody made up gets anywhere.
 */
import { hash } from 'node:crypto';
import { BoundedCache } from '../../../codec/bounded-cache.ts';
import type { SignInSecrets } from './provider.ts';
import { cookieValues, type Seal, SIGN_IN_COOKIE, setCookie } from './seal.ts';
import type { SessionKeys } from './session-keys.ts';

/** Seconds that people may take at the provider. */
const SIGN_IN_SECONDS = 600;
/** Sign-ins remembered as used up, for as long as they could come back. */
const MAX_USED = 10_000;

interface StoredSignIn extends SignInSecrets {
  /** Milliseconds since 1970. */
  readonly until: number;
}

export class SignInFlow {
  readonly #seal: Seal;
  readonly #keys: () => SessionKeys | Promise<SessionKeys>;
  readonly #used = new BoundedCache<true>(MAX_USED);

  constructor(seal: Seal, keys: () => SessionKeys | Promise<SessionKeys>) {
    this.#seal = seal;
    this.#keys = keys;
  }

  /** @returns a `Set-Cookie` value */
  async cookieOf(secrets: SignInSecrets): Promise<string> {
    const stored: StoredSignIn = { ...secrets, until: Date.now() + SIGN_IN_SECONDS * 1000 };
    const sealed = this.#seal.seal('sign-in', JSON.stringify(stored), await this.#keys());
    if (sealed === undefined) throw new Error('a sign-in does not fit into a cookie');
    return setCookie(SIGN_IN_COOKIE, sealed, SIGN_IN_SECONDS);
  }

  /** What the request's sign-in has to come back with, once; undefined when it has none that counts. */
  async secretsOf(cookies: readonly string[]): Promise<SignInSecrets | undefined> {
    const [sealed, ...more] = cookieValues(cookies, SIGN_IN_COOKIE);
    if (sealed === undefined || more.length > 0) return undefined;
    const opened = this.#seal.open('sign-in', sealed, await this.#keys());
    if (opened === undefined || opened === 'unknown-key') return undefined;
    const { until, ...secrets } = JSON.parse(opened.text) as StoredSignIn;
    return Date.now() < until && this.#useUp(secrets.state) ? secrets : undefined;
  }

  /** False for one that was used before, as far as this instance knows. */
  #useUp(state: string): boolean {
    const id = hash('sha256', state, 'base64url');
    if (this.#used.get(id)) return false;
    this.#used.set(id, true);
    return true;
  }
}
