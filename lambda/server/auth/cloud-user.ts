/**
 * A user of a Temporal Cloud account, as the Cloud Ops API tells of one in JSON.
 *
 * @see https://github.com/temporalio/cloud-api temporal/api/cloud/identity/v1/message.proto (User, Access)
 */
import { comparableEmail } from '../../../config/email.ts';
import type { NamespaceRole } from './policy.ts';

/** What a user may do in the account. */
export interface CloudUser {
  /** Account owners and admins hold every namespace of the account. */
  readonly holdsEveryNamespace: boolean;
  readonly namespaces: ReadonlyMap<string, NamespaceRole>;
  /** Roles on projects, by the project's id: they hold for every namespace of it. */
  readonly projects: ReadonlyMap<string, NamespaceRole>;
}

/** A page of `GetUsersResponse`. */
export interface UsersPage {
  readonly users: readonly unknown[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** `AccountAccess.Role`, by name and by number; the names without prefix are those of old API versions. */
const ROLES_WITH_EVERY_NAMESPACE: ReadonlySet<unknown> = new Set(['ROLE_OWNER', 'ROLE_ADMIN', 'owner', 'admin', 1, 2]);

/** `NamespaceAccess.Permission`, likewise. */
const PERMISSIONS: ReadonlyMap<unknown, NamespaceRole> = new Map<unknown, NamespaceRole>([
  ['PERMISSION_ADMIN', 'admin'],
  ['PERMISSION_WRITE', 'write'],
  ['PERMISSION_READ', 'read'],
  ['admin', 'admin'],
  ['write', 'write'],
  ['read', 'read'],
  [1, 'admin'],
  [2, 'write'],
  [3, 'read'],
]);

/**
 * `ProjectAccess.ProjectRole`, of those that speak of all resources of a project. The others (list, contribute, member,
 * developer) say nothing certain about reading payloads, so they give nothing.
 */
const PROJECT_ROLES: ReadonlyMap<unknown, NamespaceRole> = new Map<unknown, NamespaceRole>([
  ['PROJECT_ROLE_ADMIN', 'admin'],
  ['PROJECT_ROLE_WRITE', 'write'],
  ['PROJECT_ROLE_READ', 'read'],
  [1, 'admin'],
  [2, 'write'],
  [3, 'read'],
]);

/** `ResourceState` in which a user exists: active, being updated, or left as before by an update that failed. */
const LIVE_STATES: ReadonlySet<unknown> = new Set([
  'RESOURCE_STATE_ACTIVE',
  'RESOURCE_STATE_UPDATING',
  'RESOURCE_STATE_UPDATE_FAILED',
  'active',
  'updating',
  'updatefailed',
  3,
  4,
  5,
]);

/**
 * Reads a page of users.
 *
 * @throws Error when the text is no such page; it repeats nothing of the text
 */
export function readUsersPage(text: string): UsersPage {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch {
    throw new Error('the Cloud Ops API did not answer with JSON');
  }
  if (!isObject(page)) throw new Error('the Cloud Ops API did not answer with a page of users');
  const users = page['users'] ?? [];
  const nextPageToken = either(page, 'nextPageToken', 'next_page_token') ?? '';
  if (!Array.isArray(users) || typeof nextPageToken !== 'string') {
    throw new Error('the Cloud Ops API did not answer with a page of users');
  }
  return { users, nextPageToken };
}

/** The user with an address, if it is this one and exists: the API's filter is a help, not a proof. */
export function readUser(user: unknown, email: string): CloudUser | undefined {
  const spec = isObject(user) ? user['spec'] : undefined;
  if (!isObject(user) || !isObject(spec) || typeof spec['email'] !== 'string') return undefined;
  const wanted = comparableEmail(email);
  if (wanted === undefined || comparableEmail(spec['email']) !== wanted) return undefined;
  if (!LIVE_STATES.has(either(user, 'state', 'stateDeprecated'))) return undefined;
  const access = isObject(spec['access']) ? spec['access'] : {};
  return {
    holdsEveryNamespace: ROLES_WITH_EVERY_NAMESPACE.has(roleOf(either(access, 'accountAccess', 'account_access'))),
    namespaces: readAccesses(either(access, 'namespaceAccesses', 'namespace_accesses'), (namespaceAccess) =>
      PERMISSIONS.get(either(namespaceAccess, 'permission', 'permissionDeprecated')),
    ),
    projects: readAccesses(either(access, 'projectAccesses', 'project_accesses'), ({ role }) =>
      PROJECT_ROLES.get(role),
    ),
  };
}

/** The role of a user on a namespace. */
export function roleOfUser(user: CloudUser | undefined, namespace: string): NamespaceRole | undefined {
  if (user === undefined) return undefined;
  return user.holdsEveryNamespace ? 'admin' : user.namespaces.get(namespace);
}

function roleOf(accountAccess: unknown): unknown {
  return isObject(accountAccess) ? either(accountAccess, 'role', 'roleDeprecated') : undefined;
}

function readAccesses(
  accesses: unknown,
  roleOfAccess: (access: Record<string, unknown>) => NamespaceRole | undefined,
): Map<string, NamespaceRole> {
  const roles = new Map<string, NamespaceRole>();
  if (!isObject(accesses)) return roles;
  for (const [name, access] of Object.entries(accesses)) {
    const role = isObject(access) ? roleOfAccess(access) : undefined;
    if (role !== undefined) roles.set(name, role);
  }
  return roles;
}

/** Proto3 JSON is lowerCamelCase; the original field names are permitted too. */
function either(object: Record<string, unknown>, name: string, other: string): unknown {
  return object[name] ?? object[other];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
