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
import { BoundedCache } from '../../../codec/bounded-cache.ts';
import { Backoff } from '../../../codec/calls/backoff.ts';
import { ageOf } from '../../../codec/calls/clock.ts';
import { SingleFlight } from '../../../codec/calls/single-flight.ts';
import { KeyDocumentError, KeyUnavailableError } from '../../../codec/errors.ts';
import { comparableEmail } from '../../../config/email.ts';
import { IdentityUnavailableError, secretUnavailable } from './caller.ts';
import { type CloudOps, type CloudOpsDeps, CloudOpsError, CloudProjects, createCloudOps } from './cloud-ops.ts';
import { type CloudUser, readUser, readUsersPage, roleOfUser } from './cloud-user.ts';
import { higherRole, type NamespaceRole, type RoleDirectory } from './policy.ts';

/** Seconds beyond `cacheSeconds` for which an answer still counts while the API is out. */
const STALE_SECONDS = 900;
/** The most that the API gives in a page. */
const PAGE_SIZE = 1_000;
/** The filter by email leaves one user; without it, this many thousand are looked through. */
const MAX_PAGES = 20;
/** Users remembered. Anybody in the world with a Temporal Cloud user can become one. */
const MAX_USERS = 5_000;
/** Questions at a time; the API's limits are shared with everything else the account does. */
const MAX_QUESTIONS = 20;
/** The statuses that say something about this server or the API, and not about the person asked for. */
const ABOUT_US: ReadonlySet<number> = new Set([401, 403, 408, 429]);
/** How long a failure of the API keeps everybody from asking, and a failure of one person's question that person. */
const BACKOFF = { firstMs: 1_000, mostMs: 30_000 };
const DEFAULT_CACHE_SECONDS = 300;

/** What the directory needs from outside. */
export interface CloudRolesDeps extends CloudOpsDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface CloudRolesSettings {
  readonly endpoint?: string | undefined;
  readonly cacheSeconds?: number | undefined;
}

/** One person's question. */
interface Question {
  readonly call: SingleFlight<CloudUser | undefined>;
  readonly refused: Backoff;
}

const NO_STATUS = { status: undefined, retryAfterSeconds: undefined };

interface RememberedUser {
  /** Undefined: the account does not know them. */
  readonly user: CloudUser | undefined;
  readonly askedAt: number;
}

/** Reads the text of the secret that holds the API key. */
export function parseApiKey({ current }: { readonly current: string }): string {
  const key = current.trim();
  if (!/^[!-~]{1,4096}$/.test(key))
    throw new KeyDocumentError('the secret of the Temporal Cloud API key must hold the key alone');
  return key;
}

/** The roles of an account. */
export class CloudRoles implements RoleDirectory {
  readonly #ops: CloudOps;
  readonly #projects: CloudProjects;
  readonly #freshMs: number;
  readonly #deps: CloudRolesDeps;
  readonly #users = new BoundedCache<RememberedUser>(MAX_USERS);
  /** Of users whose question is on its way, or was refused a moment ago. */
  readonly #questions = new BoundedCache<Question>(MAX_USERS);
  readonly #backoff: Backoff;

  constructor({ endpoint, cacheSeconds = DEFAULT_CACHE_SECONDS }: CloudRolesSettings, deps: CloudRolesDeps) {
    this.#ops = createCloudOps(endpoint, deps);
    this.#freshMs = cacheSeconds * 1000;
    this.#deps = deps;
    this.#projects = new CloudProjects(this.#ops, this.#freshMs, deps.now);
    this.#backoff = new Backoff(BACKOFF, deps.now);
  }

  roleOf(email: string, namespace: string): NamespaceRole | undefined | Promise<NamespaceRole | undefined> {
    const id = comparableEmail(email);
    if (id === undefined) return undefined;
    const remembered = this.#users.get(id);
    const age = ageOf(remembered?.askedAt ?? Number.NEGATIVE_INFINITY, this.#deps.now());
    if (remembered !== undefined && age < this.#freshMs) return this.#roleOfUser(remembered.user, namespace);
    return this.#ask(id, email).then(
      (user) => this.#roleOfUser(user, namespace),
      (error) => {
        if (remembered === undefined || age >= this.#freshMs + STALE_SECONDS * 1000) throw error;
        return this.#roleOfUser(remembered.user, namespace);
      },
    );
  }

  /** The role by account and namespace, or the one by the namespace's project where that is higher. */
  #roleOfUser(
    user: CloudUser | undefined,
    namespace: string,
  ): NamespaceRole | undefined | Promise<NamespaceRole | undefined> {
    const role = roleOfUser(user, namespace);
    if (user === undefined || user.projects.size === 0 || role === 'admin') return role;
    return this.#projects.projectOf(namespace).then(
      (project) => higherRole(role, project === undefined ? undefined : user.projects.get(project)),
      (cause) => {
        // What is known counts; what is not known may be more, never less.
        if (role !== undefined) return role;
        throw unavailable(this.#backoff, { cause });
      },
    );
  }

  /** One question for all who wait for the same person. */
  async #ask(id: string, email: string): Promise<CloudUser | undefined> {
    const question = this.#questions.get(id) ?? this.#newQuestion(id);
    const { call, refused } = question;
    if (!call.isUnderWay && refused.isOn) throw unavailable(refused);
    if (!call.isUnderWay && (this.#backoff.isOn || this.#underWay() >= MAX_QUESTIONS)) {
      if (!refused.hasFailed) this.#questions.delete(id);
      throw unavailable(this.#backoff);
    }
    try {
      const user = await call.run(
        (askedAt) => this.#lookUp(id, email, askedAt),
        (error) => this.#failed(question, error),
      );
      this.#questions.delete(id);
      return user;
    } catch (cause) {
      if (!refused.hasFailed) this.#questions.delete(id);
      if (cause instanceof KeyUnavailableError) secretUnavailable('the API key for Temporal Cloud roles', cause);
      throw unavailable(refused.hasFailed ? refused : this.#backoff, { cause });
    }
  }

  #newQuestion(id: string): Question {
    const question = {
      call: new SingleFlight<CloudUser | undefined>(),
      refused: new Backoff(BACKOFF, this.#deps.now),
    };
    this.#questions.set(id, question);
    return question;
  }

  #underWay(): number {
    let count = 0;
    for (const { call } of this.#questions.values()) if (call.isUnderWay) count++;
    return count;
  }

  async #lookUp(id: string, email: string, askedAt: number): Promise<CloudUser | undefined> {
    const user = await this.#find(email);
    this.#backoff.succeeded();
    const known = this.#users.get(id);
    // A late answer, from before the process stood still, does not undo a newer one.
    if (known === undefined || known.askedAt <= askedAt || known.askedAt > this.#deps.now())
      this.#users.set(id, { user, askedAt });
    return user;
  }

  /** A question that is refused because of whom it is about says nothing about anybody else's. */
  #failed({ refused }: Question, error: unknown): void {
    if (error instanceof KeyUnavailableError) return;
    const { status = 0, retryAfterSeconds = 0 } = error instanceof CloudOpsError ? error : NO_STATUS;
    const isAboutThem = status >= 400 && status < 500 && !ABOUT_US.has(status);
    (isAboutThem ? refused : this.#backoff).failed(retryAfterSeconds * 1000);
  }

  async #find(email: string): Promise<CloudUser | undefined> {
    const seen = new Set<string>();
    for (let token = ''; !seen.has(token) && seen.size < MAX_PAGES; ) {
      seen.add(token);
      const query = { email, pageSize: String(PAGE_SIZE), ...(token === '' ? {} : { pageToken: token }) };
      const page = readUsersPage(await this.#ops.get('/cloud/users', query));
      for (const entry of page.users) {
        const user = readUser(entry, email);
        if (user !== undefined) return user;
      }
      if (page.nextPageToken === '') return undefined;
      token = page.nextPageToken;
    }
    throw new CloudOpsError('the Cloud Ops API gives pages without end');
  }
}

function unavailable(backoff: Backoff, options?: ErrorOptions): IdentityUnavailableError {
  const message = 'Temporal Cloud roles cannot be looked up at the moment';
  return new IdentityUnavailableError('cloud-ops', message, backoff.retryAfterSeconds, options);
}
