/** Temporal's Cloud Ops API over HTTPS: one request, with the API key, that is read anew when the API refuses it. */
import type { SecretSource } from '../../../codec/keys/secrets/secret-source.ts';
import { type HttpsGet, HttpsGetError } from './https-get.ts';
import type { LookupObserver } from './issuer-keys.ts';

/** Time for one answer; with the next one still inside the CLI's ten seconds. */
const TIMEOUT_MS = 4_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** The version whose messages `cloud-user.ts` and `cloud-projects.ts` were written for. */
const API_VERSION = 'v0.19.1';
const DEFAULT_ENDPOINT = 'https://saas-api.tmprl.cloud';

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
  const base = (endpoint ?? DEFAULT_ENDPOINT).replace(/\/+$/, '');

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
