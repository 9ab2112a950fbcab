/** Temporal's Cloud Ops API on loopback HTTPS, as far as `GET /cloud/users` and `GET /cloud/namespaces/…` go. */
import type { IncomingMessage } from 'node:http';
import { HttpsStandIn, type StandInAnswer } from './https-stand-in.ts';

/** A user as the API's JSON has it. */
export interface CloudOpsUser {
  readonly id: string;
  readonly state: string;
  readonly spec: {
    readonly email: string;
    readonly access: {
      readonly accountAccess: { readonly role: string };
      readonly namespaceAccesses: Readonly<Record<string, { readonly permission: string }>>;
      readonly projectAccesses?: Readonly<Record<string, { readonly role: unknown }>>;
    };
  };
}

/** A user with an account role and namespace permissions. */
export function cloudUser(
  email: string,
  role = 'ROLE_READ',
  permissions: Readonly<Record<string, string>> = {},
  state = 'RESOURCE_STATE_ACTIVE',
): CloudOpsUser {
  const namespaceAccesses = Object.fromEntries(
    Object.entries(permissions).map(([namespace, permission]) => [namespace, { permission }]),
  );
  return { id: `id-${email}`, state, spec: { email, access: { accountAccess: { role }, namespaceAccesses } } };
}

/** A user with roles on projects, by their ids. */
export function projectUser(email: string, roles: Readonly<Record<string, unknown>>): CloudOpsUser {
  const user = cloudUser(email);
  const projectAccesses = Object.fromEntries(Object.entries(roles).map(([project, role]) => [project, { role }]));
  return { ...user, spec: { ...user.spec, access: { ...user.spec.access, projectAccesses } } };
}

export class CloudOps extends HttpsStandIn {
  users: CloudOpsUser[] = [];
  /** The ids of projects by the names of their namespaces. */
  projects: Readonly<Record<string, string>> = {};
  apiKey = 'api-key-1';
  /** The real API filters by email; one that does not must not matter. */
  filters = true;
  pageSize = 1000;
  /** Headers of the last request. */
  lastHeaders: IncomingMessage['headers'] = {};

  private constructor() {
    super((request, url) => this.#answer(request, url));
  }

  static async start(): Promise<CloudOps> {
    const api = new CloudOps();
    await api.listen();
    return api;
  }

  #answer(request: IncomingMessage, url: URL): StandInAnswer {
    this.lastHeaders = request.headers;
    const isUsers = url.pathname === '/cloud/users';
    const [, namespace] = /^\/cloud\/namespaces\/([^/]+)$/.exec(url.pathname) ?? [];
    if (!isUsers && namespace === undefined) return { status: 404, body: { code: 5, message: 'Not Found' } };
    if (request.headers.authorization !== `Bearer ${this.apiKey}`) {
      return { status: 401, body: { code: 16, message: 'request unauthenticated' } };
    }
    if (namespace !== undefined) {
      const projectId = this.projects[decodeURIComponent(namespace)];
      if (projectId === undefined) return { status: 404, body: { code: 5, message: 'namespace not found' } };
      return { status: 200, body: { namespace: { namespace: decodeURIComponent(namespace), projectId } } };
    }
    const email = url.searchParams.get('email');
    const matching = this.users.filter((user) => !this.filters || email === null || user.spec.email === email);
    const start = Number(url.searchParams.get('pageToken') ?? 0);
    const size = Math.min(this.pageSize, Number(url.searchParams.get('pageSize') ?? 100));
    const end = start + size;
    const nextPageToken = end < matching.length ? String(end) : '';
    return { status: 200, body: { users: matching.slice(start, end), nextPageToken } };
  }
}
