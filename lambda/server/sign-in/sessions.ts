/**
 * Sign-in sessions without a store: all there is of one is in its sealed cookie. They end by their
 * absolute limit, by their idle limit, when the person signs out, and for everybody at once by `validFrom` beside the key.
 *
 * Signing out removes the cookie and is remembered by this instance. Another instance cannot know, so
 * a copy of the cookie that somebody made before could be used there until one of the other ends.
 */

import { hash, randomBytes } from 'node:crypto';
import { BoundedCache } from '../../../codec/bounded-cache.ts';
import type { SecretSource } from '../../../codec/keys/secrets/secret-source.ts';
import { type Caller, rejected, whenReadable } from '../auth/caller.ts';
import { cookieValues, SESSION_COOKIE, type Seal, setCookie } from './seal.ts';
import type { SessionKeys } from './session-keys.ts';

// A session as it stands in its cookie.

/** Who signed in, and when. */
export interface Session {
  /** Random; one per sign-in, and the same for as long as it is prolonged. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** When its cookie was last given out: what the idle limit counts from. Milliseconds since 1970. */
  readonly seenAt: number;
  readonly caller: Caller;
}

/** Short names: a cookie is sent with every request. */
interface StoredSession {
  readonly v: 1;
  readonly id: string;
  readonly start: number;
  readonly seen: number;
  readonly iss: string;
  readonly sub: string;
  readonly email?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

function writeSession({ id, startedAt, seenAt, caller }: Session): string {
  const { issuer, subject, email, claims } = caller;
  const stored: StoredSession = {
    v: 1,
    id,
    start: startedAt,
    seen: seenAt,
    iss: issuer ?? '',
    sub: subject,
    ...(email === undefined ? {} : { email }),
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
  };
  return JSON.stringify(stored);
}

/** Reads what {@link writeSession} wrote and was sealed; undefined when another version of the server wrote it. */
function readSession(text: string): Session | undefined {
  const stored = JSON.parse(text) as Partial<StoredSession>;
  const { id, start, seen, iss, sub, email, claims = {} } = stored;
  const isKnown =
    stored.v === 1 &&
    typeof id === 'string' &&
    typeof start === 'number' &&
    typeof seen === 'number' &&
    typeof iss === 'string' &&
    typeof sub === 'string' &&
    (email === undefined || typeof email === 'string');
  if (!isKnown) return undefined;
  return {
    id,
    startedAt: start,
    seenAt: seen,
    caller: { method: 'session', subject: sub, issuer: iss, email, claims },
  };
}

/** Bounds of a session's life. */
export interface SessionLimits {
  readonly absoluteSeconds: number;
  readonly idleSeconds: number;
}

export interface SessionsDeps {
  readonly seal: Seal;
  readonly keys: SecretSource<SessionKeys>;
  readonly issuer: string;
  readonly limits: SessionLimits;
  /** The address to sign in at, for whoever is refused. */
  readonly signInAddress: string;
}

/** A session that counts, and how long it does. */
export interface LiveSession extends Session {
  /** Milliseconds since 1970. */
  readonly endsAt: number;
  /** When it ends if it is not used until then. Milliseconds since 1970. */
  readonly idleEndsAt: number;
}

/** Opened cookies remembered, so that one person stays one {@link Caller} to the access policy. */
const MAX_REMEMBERED = 2_000;
/** Sessions remembered as ended; only somebody who signed in can add one. */
const MAX_ENDED = 10_000;
/** Instances' clocks differ: so much may a session be from the future. */
const CLOCK_LEEWAY_MS = 60_000;

/** What is said not to be readable. */
const KEYS = 'the keys of sign-in sessions';

export class Sessions {
  readonly #deps: SessionsDeps;
  /** By SHA-256 of the cookie. */
  readonly #opened = new BoundedCache<Session>(MAX_REMEMBERED);
  /** Ids, without a time: no clock that is set back brings a session to life again. */
  readonly #ended = new BoundedCache<true>(MAX_ENDED);
  #keysOfOpened: SessionKeys | undefined;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  /**
   * Starts a session. @returns the `Set-Cookie` value; undefined when what is to be kept does not fit
   * into a cookie
   * @throws IdentityUnavailableError when there is no key to seal with
   */
  async start(caller: Caller): Promise<string | undefined> {
    const now = Date.now();
    const session = { id: randomBytes(16).toString('base64url'), startedAt: now, seenAt: now, caller };
    return this.#cookieOf(session, await this.keys());
  }

  /**
   * Who a request's session is of; for the authenticator, which see.
   *
   * @throws UnauthenticatedError when there is one and it does not count
   * @throws IdentityUnavailableError when there is no key to open it with
   */
  authenticate(cookies: readonly string[]): Caller | Promise<Caller> | undefined {
    const found = this.find(cookies);
    if (found instanceof Promise) return found.then((session) => this.#callerOf(session));
    return cookieValues(cookies, SESSION_COOKIE).length === 0 ? undefined : this.#callerOf(found);
  }

  /** The session of a request, or undefined when it has none that counts. */
  find(cookies: readonly string[]): LiveSession | undefined | Promise<LiveSession | undefined> {
    const [sealed, ...more] = cookieValues(cookies, SESSION_COOKIE);
    if (sealed === undefined || more.length > 0) return undefined;
    const keys = this.keys();
    return keys instanceof Promise ? keys.then((it) => this.#open(sealed, it)) : this.#open(sealed, keys);
  }

  /**
   * A new cookie for a session that was used in the second half of its idle time; undefined when
   * there is nothing to prolong. Never throws.
   */
  async prolong(cookies: readonly string[]): Promise<string | undefined> {
    try {
      const session = await this.find(cookies);
      if (session === undefined || Date.now() - session.seenAt < this.#deps.limits.idleSeconds * 500) return undefined;
      const keys = await this.keys();
      // Who signed out while this waited must not be given the cookie again.
      if (this.#live(session, keys) === undefined) return undefined;
      return this.#cookieOf({ ...session, seenAt: Date.now() }, keys);
    } catch {
      return undefined;
    }
  }

  /** Ends the session of a request, if it has one that counts. @returns it */
  async end(cookies: readonly string[]): Promise<Session | undefined> {
    const session = await this.find(cookies);
    if (session === undefined) return undefined;
    this.#ended.set(session.id, true);
    return session;
  }

  /** @throws IdentityUnavailableError when they cannot be read */
  keys(): SessionKeys | Promise<SessionKeys> {
    return whenReadable(KEYS, () => this.#deps.keys.get());
  }

  #callerOf(session: LiveSession | undefined): Caller {
    if (session === undefined) throw rejected('session', this.#deps.signInAddress);
    return session.caller;
  }

  #open(sealed: string, keys: SessionKeys): LiveSession | undefined | Promise<LiveSession | undefined> {
    const known = this.#recall(sealed, keys);
    if (known !== undefined) return this.#live(known, keys);
    const opened = this.#deps.seal.open('session', sealed, keys);
    if (opened !== 'unknown-key') return this.#accept(sealed, opened?.text, keys);
    // Another instance may already seal with a key that this one has not read.
    const fresh = whenReadable(KEYS, () => this.#deps.keys.refresh());
    const again = (it: SessionKeys): LiveSession | undefined => {
      const second = it === keys ? undefined : this.#deps.seal.open('session', sealed, it);
      return second === 'unknown-key' ? undefined : this.#accept(sealed, second?.text, it);
    };
    return fresh instanceof Promise ? fresh.then(again) : again(fresh);
  }

  #accept(sealed: string, text: string | undefined, keys: SessionKeys): LiveSession | undefined {
    const session = text === undefined ? undefined : readSession(text);
    if (session === undefined || session.caller.issuer !== this.#deps.issuer) return undefined;
    const live = this.#live(session, keys);
    if (live === undefined) return undefined;
    this.#opened.set(hash('sha256', sealed, 'base64url'), session);
    return live;
  }

  /** A cookie that was opened before, unless the keys have changed since. */
  #recall(sealed: string, keys: SessionKeys): Session | undefined {
    if (this.#keysOfOpened !== keys) {
      this.#opened.clear();
      this.#keysOfOpened = keys;
    }
    return this.#opened.get(hash('sha256', sealed, 'base64url'));
  }

  #live(session: Session, { validFrom }: SessionKeys): LiveSession | undefined {
    const { absoluteSeconds, idleSeconds } = this.#deps.limits;
    const { id, startedAt, seenAt } = session;
    const now = Date.now();
    const endsAt = startedAt + absoluteSeconds * 1000;
    const idleEndsAt = Math.min(endsAt, seenAt + idleSeconds * 1000);
    if (now >= idleEndsAt || startedAt < validFrom || seenAt < startedAt) return undefined;
    if (seenAt > now + CLOCK_LEEWAY_MS || this.#ended.get(id)) return undefined;
    return { ...session, endsAt, idleEndsAt };
  }

  #cookieOf(session: Session, keys: SessionKeys): string | undefined {
    const { seal, limits } = this.#deps;
    const sealed = seal.seal('session', writeSession(session), keys);
    if (sealed === undefined) return undefined;
    const left = Math.floor((session.startedAt - Date.now()) / 1000) + limits.absoluteSeconds;
    return setCookie(SESSION_COOKIE, sealed, Math.max(1, Math.min(left, limits.idleSeconds)));
  }
}
