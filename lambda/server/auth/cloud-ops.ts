/** Temporal's Cloud Ops API over HTTPS: one request, with the API key, that is read anew when the API refuses it. */

import { BoundedCache } from '../../../codec/bounded-cache.ts';
import { SingleFlight } from '../../../codec/calls/single-flight.ts';
import type { SecretSource } from '../../../codec/keys/secrets/secret-source.ts';
import { CLOUD_OPS_API } from '../../../config/issuers.ts';
import { type HttpsGet, HttpsGetError } from './https-get.ts';
import type { LookupObserver } from './issuer-keys.ts';

/** Time for one answer; with the next one still inside the CLI's ten seconds. */
const TIMEOUT_MS = 4_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** The version whose messages `cloud-user.ts` and `cloud-projects.ts` were written for. */
const API_VERSION = 'v0.19.1';

/** What the client needs from outside. */
export interface CloudOpsDeps {
  readonly get: HttpsGet;
  /** The API key: the secret's text. */
  readonly apiKey: SecretSource<string>;
  /** Told of every answer, for the metrics. */
  readonly onLookup?: LookupObserver | undefined;
}

/** Gets the JSON text of a path of the API. */
export interface CloudOps {
  /**
   * @param path such as `/cloud/users`, percent-encoded
   * @throws CloudOpsError when the API answers with anything but 200
   * @throws HttpsGetError when it does not answer
   * @throws KeyUnavailableError when the API key cannot be read
   */
  get(path: string, query?: Readonly<Record<string, string>>): Promise<string>;
}

/** An answer of the API that cannot be used. */
export class CloudOpsError extends HttpsGetError {
  /** Undefined where the status is not what was wrong. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, status?: number, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** @param endpoint default: Temporal's own */
export function createCloudOps(endpoint: string | undefined, { get, apiKey, onLookup }: CloudOpsDeps): CloudOps {
  const base = (endpoint ?? CLOUD_OPS_API).replace(/\/+$/, '');

  async function request(url: string): Promise<string> {
    const ask = (key: string) =>
      get(url, {
        headers: { authorization: `Bearer ${key}`, 'temporal-cloud-api-version': API_VERSION },
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_ANSWER_BYTES,
      });
    const key = await apiKey.get();
    let response = await ask(key);
    if (response.status === 401 || response.status === 403) {
      const fresh = await apiKey.refresh();
      if (fresh !== key) response = await ask(fresh);
    }
    if (response.status !== 200) {
      const { status, retryAfterSeconds } = response;
      throw new CloudOpsError(`the Cloud Ops API answered with status ${status}`, status, retryAfterSeconds);
    }
    return response.body;
  }

  return {
    async get(path, query = {}) {
      const parameters = new URLSearchParams(query).toString();
      try {
        const answer = await request(`${base}${path}${parameters === '' ? '' : `?${parameters}`}`);
        onLookup?.('ok');
        return answer;
      } catch (error) {
        onLookup?.('failed', error);
        throw error;
      }
    },
  };
}

// The Temporal Cloud Project that a namespace belongs to. Asked for only when somebody of the account holds a role on
// a project, remembered as long as a person is, and asked once for all who wait.
//
// @see https://github.com/temporalio/cloud-api (GetNamespace: `GET /cloud/namespaces/{namespace}`, `project_id`)

/** Namespaces remembered: an account has 100 unless it asked for more, and callers can name others. */
const MAX_NAMESPACES = 1_000;
/** Questions at a time; the API's limits are shared with everything else the account does. */
const MAX_QUESTIONS = 20;
const NO_PROJECT = '';

/** Answers which project a namespace belongs to. */
export class CloudProjects {
  readonly #ops: CloudOps;
  readonly #now: () => number;
  /** Ids by namespace; empty for a namespace that the account does not have. */
  readonly #known: BoundedCache<string>;
  readonly #questions = new Map<string, SingleFlight<string>>();

  /** @param freshMs milliseconds for which an answer counts; @param now milliseconds since 1970 */
  constructor(ops: CloudOps, freshMs: number, now: () => number) {
    this.#ops = ops;
    this.#now = now;
    this.#known = new BoundedCache(MAX_NAMESPACES, freshMs);
  }

  /**
   * The id of the namespace's project; undefined when the account has no such namespace.
   *
   * @throws CloudOpsError, HttpsGetError, KeyUnavailableError when the API cannot be asked now
   */
  async projectOf(namespace: string): Promise<string | undefined> {
    const id = this.#known.get(namespace, this.#now()) ?? (await this.#ask(namespace));
    return id === NO_PROJECT ? undefined : id;
  }

  async #ask(namespace: string): Promise<string> {
    let question = this.#questions.get(namespace);
    if (question === undefined) {
      if (this.#questions.size >= MAX_QUESTIONS) throw new CloudOpsError('too many namespaces are being asked for');
      question = new SingleFlight();
      this.#questions.set(namespace, question);
    }
    try {
      return await question.run(async () => {
        const id = await this.#find(namespace);
        this.#known.set(namespace, id, this.#now());
        return id;
      });
    } finally {
      this.#questions.delete(namespace);
    }
  }

  async #find(namespace: string): Promise<string> {
    try {
      return readProject(await this.#ops.get(`/cloud/namespaces/${encodeURIComponent(namespace)}`), namespace);
    } catch (error) {
      if (error instanceof CloudOpsError && error.status === 404) return NO_PROJECT;
      throw error;
    }
  }
}

/** The project's id in a `GetNamespaceResponse`, if it is about the namespace that was asked for. */
function readProject(text: string, namespace: string): string {
  let answer: { namespace?: { namespace?: unknown; projectId?: unknown; project_id?: unknown } };
  try {
    answer = JSON.parse(text);
  } catch {
    throw new CloudOpsError('the Cloud Ops API did not answer with JSON');
  }
  const { namespace: found } = answer ?? {};
  if (found?.namespace !== namespace) throw new CloudOpsError('the Cloud Ops API did not answer with the namespace');
  const id = found.projectId ?? found.project_id ?? NO_PROJECT;
  return typeof id === 'string' ? id : NO_PROJECT;
}
