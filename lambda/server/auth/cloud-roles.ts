/**
 * Roles of Temporal Cloud, asked of the Cloud Ops API. A person is looked up once and remembered with
 * every namespace, also when the account does not know them; everybody who waits for the same person
 * shares one question; and when the API is out, what is remembered counts for a stated time longer,
 * and then nobody has a role.
 *
 * Loaded only where a rule names a role.
 *
 * @see https://docs.temporal.io/ops (GetUsers: `GET /cloud/users`)
 */
import { KeyUnavailableError } from '../../../codec/errors.ts';
import type { SecretSource } from '../../../codec/keys/secrets/secret-source.ts';
import { comparableEmail } from '../../../config/email.ts';
import { IdentityUnavailableError } from './caller.ts';
import { type CloudUser, readUser, readUsersPage, roleOfUser } from './cloud-user.ts';
import { deleteOldest } from './delete-oldest.ts';
import { type HttpsGet, HttpsGetError } from './https-get.ts';
import type { LookupObserver } from './issuer-keys.ts';
import type { NamespaceRole, RoleDirectory } from './role-directory.ts';

/** Seconds beyond `cacheSeconds` for which an answer still counts while the API is out. */
export const STALE_SECONDS = 900;
/** Time for one page; with the next one still inside the CLI's ten seconds. */
const PAGE_TIMEOUT_MS = 4_000;
/** The most that the API gives in a page. */
const PAGE_SIZE = 1_000;
/** The filter by email leaves one user; without it, this many thousand are looked through. */
const MAX_PAGES = 20;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
/** People remembered. Anybody in the world with a Temporal Cloud user can become one. */
const MAX_PEOPLE = 5_000;
/** Questions at a time; the API's limits are shared with everything else the account does. */
const MAX_FLIGHTS = 20;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** The version whose messages this file was written for. */
const API_VERSION = 'v0.19.1';
const DEFAULT_ENDPOINT = 'https://saas-api.tmprl.cloud';
const DEFAULT_CACHE_SECONDS = 300;

/** What the directory needs from outside. */
export interface CloudRolesDeps {
  readonly get: HttpsGet;
  /** The API key: the secret's text. */
  readonly apiKey: SecretSource<string>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of every page asked for, for the metrics. */
  readonly onLookup?: LookupObserver | undefined;
}

export interface CloudRolesSettings {
  readonly endpoint?: string | undefined;
  readonly cacheSeconds?: number | undefined;
}

interface RememberedPerson {
  /** Undefined: the account does not know them. */
  readonly user: CloudUser | undefined;
  readonly askedAt: number;
}

/** Makes the directory of an account's roles. */
export function createCloudRoles(settings: CloudRolesSettings, deps: CloudRolesDeps): RoleDirectory {
  return new CloudRoles(settings, deps);
}

/** Reads the text of the secret that holds the API key. */
export function parseApiKey({ current }: { readonly current: string }): string {
  const key = current.trim();
  if (!/^[!-~]{1,4096}$/.test(key)) throw new Error('the secret of the Temporal Cloud API key must hold the key alone');
  return key;
}

class CloudRoles implements RoleDirectory {
  readonly #url: string;
  readonly #freshMs: number;
  readonly #deps: CloudRolesDeps;
  readonly #people = new Map<string, RememberedPerson>();
  readonly #flights = new Map<string, Promise<CloudUser | undefined>>();
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(
    { endpoint = DEFAULT_ENDPOINT, cacheSeconds = DEFAULT_CACHE_SECONDS }: CloudRolesSettings,
    deps: CloudRolesDeps,
  ) {
    this.#url = `${endpoint.replace(/\/+$/, '')}/cloud/users`;
    this.#freshMs = cacheSeconds * 1000;
    this.#deps = deps;
  }

  roleOf(email: string, namespace: string): NamespaceRole | undefined | Promise<NamespaceRole | undefined> {
    const id = comparableEmail(email);
    if (id === undefined) return undefined;
    const remembered = this.#people.get(id);
    const age = remembered === undefined ? Number.POSITIVE_INFINITY : this.#deps.now() - remembered.askedAt;
    if (remembered !== undefined && age < this.#freshMs) return roleOfUser(remembered.user, namespace);
    return this.#ask(id, email).then(
      (user) => roleOfUser(user, namespace),
      (error) => {
        if (remembered === undefined || age >= this.#freshMs + STALE_SECONDS * 1000) throw error;
        return roleOfUser(remembered.user, namespace);
      },
    );
  }

  /** One flight for all who wait for the same person. */
  #ask(id: string, email: string): Promise<CloudUser | undefined> {
    const flying = this.#flights.get(id);
    if (flying !== undefined) return flying;
    if (this.#deps.now() < this.#notBefore || this.#flights.size >= MAX_FLIGHTS) {
      return Promise.reject(this.#unavailable());
    }
    const flight = this.#lookUp(id, email).finally(() => this.#flights.delete(id));
    this.#flights.set(id, flight);
    return flight;
  }

  async #lookUp(id: string, email: string): Promise<CloudUser | undefined> {
    const askedAt = this.#deps.now();
    try {
      const user = await this.#find(email);
      this.#failures = 0;
      this.#remember(id, { user, askedAt });
      return user;
    } catch (cause) {
      if (cause instanceof KeyUnavailableError) {
        const message = 'the API key for Temporal Cloud roles cannot be read at the moment';
        throw new IdentityUnavailableError('secrets', message, cause.retryAfterSeconds, { cause });
      }
      const asked = cause instanceof CloudOpsError ? (cause.retryAfterSeconds ?? 0) * 1000 : 0;
      const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
      this.#failures++;
      this.#notBefore = this.#deps.now() + Math.max(backoff, Math.min(asked, MAX_BACKOFF_MS));
      throw this.#unavailable({ cause });
    }
  }

  async #find(email: string): Promise<CloudUser | undefined> {
    const seen = new Set<string>();
    for (let token = ''; !seen.has(token) && seen.size < MAX_PAGES; ) {
      seen.add(token);
      const page = readUsersPage(await this.#page(email, token));
      for (const entry of page.users) {
        const user = readUser(entry, email);
        if (user !== undefined) return user;
      }
      if (page.nextPageToken === '') return undefined;
      token = page.nextPageToken;
    }
    throw new CloudOpsError('the Cloud Ops API gives pages without end');
  }

  async #page(email: string, pageToken: string): Promise<string> {
    try {
      const page = await this.#request(email, pageToken);
      this.#deps.onLookup?.('ok');
      return page;
    } catch (error) {
      this.#deps.onLookup?.('failed', error);
      throw error;
    }
  }

  async #request(email: string, pageToken: string): Promise<string> {
    const query = new URLSearchParams({
      email,
      pageSize: String(PAGE_SIZE),
      ...(pageToken === '' ? {} : { pageToken }),
    });
    const ask = (key: string) =>
      this.#deps.get(`${this.#url}?${query}`, {
        headers: { authorization: `Bearer ${key}`, 'temporal-cloud-api-version': API_VERSION },
        timeoutMs: PAGE_TIMEOUT_MS,
        maxBytes: MAX_PAGE_BYTES,
      });
    const key = await this.#deps.apiKey.get();
    let response = await ask(key);
    if (response.status === 401 || response.status === 403) {
      const fresh = await this.#deps.apiKey.refresh();
      if (fresh !== key) response = await ask(fresh);
    }
    if (response.status !== 200) {
      throw new CloudOpsError(`the Cloud Ops API answered with status ${response.status}`, response.retryAfterSeconds);
    }
    return response.body;
  }

  #remember(id: string, person: RememberedPerson): void {
    this.#people.delete(id);
    if (this.#people.size >= MAX_PEOPLE) deleteOldest(this.#people);
    this.#people.set(id, person);
  }

  #unavailable(options?: ErrorOptions): IdentityUnavailableError {
    const seconds = Math.max(1, Math.ceil((this.#notBefore - this.#deps.now()) / 1000));
    const message = 'Temporal Cloud roles cannot be looked up at the moment';
    return new IdentityUnavailableError('cloud-ops', message, Number.isFinite(seconds) ? seconds : 1, options);
  }
}

/** An answer that is none. */
class CloudOpsError extends HttpsGetError {
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds?: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
