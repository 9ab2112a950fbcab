import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IdentityUnavailableError } from '../../../../lambda/server/auth/caller.ts';
import { CloudRoles, parseApiKey } from '../../../../lambda/server/auth/cloud-roles.ts';
import type { RoleDirectory } from '../../../../lambda/server/auth/policy.ts';
import { TestClock } from '../../../support/clock.ts';
import { CloudOps, cloudUser, projectUser } from '../../../support/cloud-ops.ts';
import { standInGet } from '../../../support/https-stand-in.ts';
import { TestSecret } from '../../../support/secret.ts';

/** Seconds for which a role serves after its time while Temporal Cloud does not answer. */
const STALE_SECONDS = 900;

const FRESH_MS = 300_000;

describe('Temporal Cloud roles, over HTTPS', () => {
  let api: CloudOps;
  let clock: TestClock;
  let secret: TestSecret<string>;
  let roles: RoleDirectory;
  let outcomes: string[];

  beforeEach(async () => {
    api = await CloudOps.start();
    clock = new TestClock();
    secret = new TestSecret('api-key-1\n', parseApiKey);
    outcomes = [];
    roles = new CloudRoles(
      { endpoint: `${api.origin}/` },
      { get: standInGet(), apiKey: secret.source, now: Date.now, onLookup: (outcome) => outcomes.push(outcome) },
    );
    api.users = [
      cloudUser('owner@acme.com', 'ROLE_OWNER'),
      cloudUser('admin@acme.com', 'ROLE_ADMIN'),
      cloudUser('dev@acme.com', 'ROLE_DEVELOPER', { 'orders.a1': 'PERMISSION_WRITE', 'billing.a1': 'PERMISSION_READ' }),
      cloudUser('reader@acme.com', 'ROLE_READ'),
      cloudUser('lead@acme.com', 'ROLE_READ', { 'orders.a1': 'PERMISSION_ADMIN' }),
    ];
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await api.close();
  });

  it('are admin in every namespace for account owners and admins', async () => {
    expect(await roles.roleOf('owner@acme.com', 'anything.a1')).toBe('admin');
    expect(await roles.roleOf('admin@acme.com', 'anything.a1')).toBe('admin');
  });

  it('are the namespace permission for everybody else, whatever else the account lets them do', async () => {
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    expect(await roles.roleOf('dev@acme.com', 'billing.a1')).toBe('read');
    expect(await roles.roleOf('dev@acme.com', 'payments.a1')).toBeUndefined();
    expect(await roles.roleOf('reader@acme.com', 'orders.a1')).toBeUndefined();
    expect(await roles.roleOf('lead@acme.com', 'orders.a1')).toBe('admin');
    expect(await roles.roleOf('stranger@evil.com', 'orders.a1')).toBeUndefined();
  });

  it('are the role on the project that a namespace belongs to, asked for once', async () => {
    api.projects = { 'orders.a1': 'project-1', 'billing.a1': 'project-2' };
    api.users.push(
      projectUser('pm@acme.com', { 'project-1': 'PROJECT_ROLE_ADMIN', 'project-3': 'PROJECT_ROLE_ADMIN' }),
    );
    expect(await roles.roleOf('pm@acme.com', 'orders.a1')).toBe('admin');
    expect(await roles.roleOf('pm@acme.com', 'billing.a1')).toBeUndefined();
    expect(await roles.roleOf('pm@acme.com', 'payments.a1')).toBeUndefined();
    const { requests } = api;
    for (const name of ['orders.a1', 'billing.a1', 'payments.a1']) await roles.roleOf('pm@acme.com', name);
    expect(api.requests).toBe(requests);
  });

  it.each([
    ['PROJECT_ROLE_WRITE', 'write'],
    ['PROJECT_ROLE_READ', 'read'],
    [2, 'write'],
    ['PROJECT_ROLE_CONTRIBUTE', undefined],
    ['PROJECT_ROLE_MEMBER', undefined],
    ['PROJECT_ROLE_LIST', undefined],
    ['PROJECT_ROLE_DEVELOPER', undefined],
    ['PROJECT_ROLE_OF_TOMORROW', undefined],
  ])('are for %j on the project: %s', async (role, expected) => {
    api.projects = { 'orders.a1': 'project-1' };
    api.users.push(projectUser('pm@acme.com', { 'project-1': role }));
    expect(await roles.roleOf('pm@acme.com', 'orders.a1')).toBe(expected);
  });

  it('are the higher of namespace and project, and the known one while the other cannot be asked for', async () => {
    const both = projectUser('pm@acme.com', { 'project-1': 'PROJECT_ROLE_WRITE' });
    const { access } = both.spec;
    const namespaceAccesses = { 'orders.a1': { permission: 'PERMISSION_READ' } };
    api.users.push({ ...both, spec: { ...both.spec, access: { ...access, namespaceAccesses } } });
    api.projects = { 'orders.a1': 'project-1' };
    expect(await roles.roleOf('pm@acme.com', 'orders.a1')).toBe('write');
    clock.advance(FRESH_MS - 1);
    expect(await roles.roleOf('pm@acme.com', 'orders.a1')).toBe('write');
    api.mood = { kind: 'status', status: 500 };
    await expect(roles.roleOf('pm@acme.com', 'billing.a1')).rejects.toThrow(IdentityUnavailableError);
  });

  it('are none by a custom role or a project that the API tells of in another way', async () => {
    const user = cloudUser('custom@acme.com');
    const access = { ...user.spec.access, accountAccess: { role: 'ROLE_READ', customRoles: ['all-namespaces'] } };
    api.users.push({ ...user, spec: { ...user.spec, access } });
    expect(await roles.roleOf('custom@acme.com', 'orders.a1')).toBeUndefined();
  });

  it('are none for namespaces named like parts of a JavaScript object', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(await roles.roleOf('dev@acme.com', name)).toBeUndefined();
    }
  });

  it('send the API key, the API version, and the address as the token spells it', async () => {
    api.users.push(cloudUser('Mixed.Case@acme.com', 'ROLE_OWNER'));
    expect(await roles.roleOf('Mixed.Case@acme.com', 'orders.a1')).toBe('admin');
    expect(api.lastHeaders).toMatchObject({
      authorization: 'Bearer api-key-1',
      'temporal-cloud-api-version': 'v0.19.1',
    });
  });

  it('are asked for once a person, for all namespaces, negative answers included', async () => {
    const waiting = Array.from({ length: 40 }, (_, i) => roles.roleOf('dev@acme.com', i % 2 ? 'orders.a1' : 'none.a1'));
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['write', undefined]));
    expect(roles.roleOf('dev@acme.com', 'billing.a1')).toBe('read');
    expect(await roles.roleOf('stranger@evil.com', 'orders.a1')).toBeUndefined();
    expect(roles.roleOf('stranger@evil.com', 'billing.a1')).toBeUndefined();
    expect(roles.roleOf('Stranger@EVIL.com', 'orders.a1')).toBeUndefined();
    expect(api.requests).toBe(2);
  });

  it('follow the account after the cache’s time, and no earlier', async () => {
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    api.users = [];
    clock.advance(FRESH_MS - 60_000);
    expect(roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    clock.advance(61_000);
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBeUndefined();
    expect(api.requests).toBe(2);
  });

  it.each([
    ['RESOURCE_STATE_ACTIVATING'],
    ['RESOURCE_STATE_DELETING'],
    ['RESOURCE_STATE_DELETED'],
    ['RESOURCE_STATE_SUSPENDED'],
    ['RESOURCE_STATE_EXPIRED'],
    ['RESOURCE_STATE_UNSPECIFIED'],
    [''],
  ])('are none for a user in the state %j', async (state) => {
    api.users = [cloudUser('owner@acme.com', 'ROLE_OWNER', {}, state)];
    expect(await roles.roleOf('owner@acme.com', 'orders.a1')).toBeUndefined();
  });

  it('are found on a later page of an API that does not filter, and never taken from another user', async () => {
    api.filters = false;
    api.pageSize = 2;
    expect(await roles.roleOf('lead@acme.com', 'orders.a1')).toBe('admin');
    expect(api.requests).toBe(3);
    expect(await roles.roleOf('own\u0435r@acme.com', 'orders.a1')).toBeUndefined();
    expect(await roles.roleOf('wner@acme.com', 'orders.a1')).toBeUndefined();
  });

  it('end at pages without end', async () => {
    api.filters = false;
    api.pageSize = 0;
    await expect(roles.roleOf('x@acme.com', 'orders.a1')).rejects.toBeInstanceOf(IdentityUnavailableError);
    expect(api.requests).toBe(2);
  });

  it('are not asked for addresses that cannot be compared', () => {
    expect(roles.roleOf('a@b@acme.com', 'orders.a1')).toBeUndefined();
    expect(api.requests).toBe(0);
  });

  it('count for a stated time longer during an outage, and then nobody has one', async () => {
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    api.mood = { kind: 'status', status: 500 };
    clock.advance(FRESH_MS + STALE_SECONDS * 1000 - 60_000);
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    expect(await roles.roleOf('dev@acme.com', 'none.a1')).toBeUndefined();
    clock.advance(61_000);
    await expect(roles.roleOf('dev@acme.com', 'orders.a1')).rejects.toMatchObject({ dependency: 'cloud-ops' });
    await expect(roles.roleOf('owner@acme.com', 'orders.a1')).rejects.toMatchObject({ dependency: 'cloud-ops' });
    api.mood = { kind: 'in-order' };
    clock.advance(30_000);
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
  });

  it('are not looked for in more than twenty pages, each of which names another', async () => {
    let page = 0;
    const get = async () => {
      const body = JSON.stringify({ users: [], nextPageToken: String(++page) });
      return { status: 200, retryAfterSeconds: undefined, contentType: 'application/json', body };
    };
    const endless = new CloudRoles({}, { get, apiKey: secret.source, now: Date.now });
    await expect(endless.roleOf('dev@acme.com', 'orders.a1')).rejects.toMatchObject({ dependency: 'cloud-ops' });
    expect(page).toBe(20);
  });

  it('are not those on the project of another namespace than was asked for', async () => {
    const user = projectUser('pm@acme.com', { 'project-1': 'PROJECT_ROLE_ADMIN' });
    const get = async (url: string) => {
      const found = { namespace: { namespace: 'orders.a1', projectId: 'project-1' } };
      const body = JSON.stringify(url.includes('/users') ? { users: [user], nextPageToken: '' } : found);
      return { status: 200, retryAfterSeconds: undefined, contentType: 'application/json', body };
    };
    const mixedUp = new CloudRoles({}, { get, apiKey: secret.source, now: Date.now });
    expect(await mixedUp.roleOf('pm@acme.com', 'orders.a1')).toBe('admin');
    await expect(mixedUp.roleOf('pm@acme.com', 'billing.a1')).rejects.toMatchObject({ dependency: 'cloud-ops' });
  });

  it('count no longer for a clock that was set back', async () => {
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    clock.advance(-86_400_000);
    api.mood = { kind: 'status', status: 500 };
    await expect(roles.roleOf('dev@acme.com', 'orders.a1')).rejects.toMatchObject({ dependency: 'cloud-ops' });
    // Nor does a failure keep anybody out for as long.
    clock.advance(-86_400_000);
    api.mood = { kind: 'in-order' };
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
  });

  it.each([
    ['is cut off', { kind: 'cut-off' }],
    ['answers with HTML', { kind: 'garbage', body: '<html>' }],
    ['answers with other JSON', { kind: 'garbage', body: '[]' }],
    ['answers with users that are none', { kind: 'garbage', body: '{"users":{}}' }],
    ['answers without end', { kind: 'endless' }],
    ['forbids it', { kind: 'status', status: 403 }],
    ['redirects', { kind: 'redirect', to: 'https://evil.example/' }],
  ] as const)('are unavailable, not denied, while the API %s', async (_, mood) => {
    api.mood = mood;
    await expect(roles.roleOf('owner@acme.com', 'orders.a1')).rejects.toBeInstanceOf(IdentityUnavailableError);
    expect(outcomes.length).toBeGreaterThan(0);
  });

  it('skip users that make no sense', async () => {
    const body = {
      users: [null, 1, {}, { spec: null }, { spec: { email: 1 } }, { state: 3, spec: { email: 'a@b.c' } }],
    };
    api.mood = { kind: 'garbage', body: JSON.stringify(body) };
    expect(await roles.roleOf('a@b.c', 'orders.a1')).toBeUndefined();
  });

  it('leave a rate-limiting API alone for as long as it asks', async () => {
    api.mood = { kind: 'status', status: 429, retryAfter: '9' };
    await expect(roles.roleOf('dev@acme.com', 'orders.a1')).rejects.toMatchObject({ retryAfterSeconds: 9 });
    for (let i = 0; i < 50; i++) {
      await expect(roles.roleOf(`p${i}@acme.com`, 'orders.a1')).rejects.toBeInstanceOf(IdentityUnavailableError);
    }
    expect(api.requests).toBe(1);
  });

  it('bound the questions under way at a time', async () => {
    api.mood = { kind: 'slow', ms: 50 };
    const asked = await Promise.allSettled(
      Array.from({ length: 60 }, async (_, i) => roles.roleOf(`p${i}@acme.com`, 'orders.a1')),
    );
    expect(asked.filter(({ status }) => status === 'rejected')).toHaveLength(40);
    expect(api.requests).toBe(20);
  });

  it('take over a new API key when the old one is refused', async () => {
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    api.apiKey = 'api-key-2';
    secret.text = 'api-key-2';
    clock.advance(60_000);
    expect(await roles.roleOf('owner@acme.com', 'orders.a1')).toBe('admin');
  });

  it('are unavailable while the API key cannot be read', async () => {
    secret.failure = new Error('no route');
    await expect(roles.roleOf('dev@acme.com', 'orders.a1')).rejects.toMatchObject({ dependency: 'secrets' });
    expect(api.requests).toBe(0);
  });

  it('need a secret that holds a key and nothing else', () => {
    expect(parseApiKey({ current: ' abc \n' })).toBe('abc');
    for (const current of ['', ' ', 'a b', '{"key": "x"}', 'a\nb', 'ключ']) {
      expect(() => parseApiKey({ current })).toThrow('must hold the key alone');
    }
  });

  it("are that person's trouble alone when the API refuses a question about one person", async () => {
    api.mood = { kind: 'status', status: 400 };
    await expect(roles.roleOf('odd.one+x@acme.com', 'orders.a1')).rejects.toThrow(IdentityUnavailableError);
    api.mood = { kind: 'in-order' };
    expect(await roles.roleOf('dev@acme.com', 'orders.a1')).toBe('write');
    const asked = api.requests;
    await expect(roles.roleOf('odd.one+x@acme.com', 'orders.a1')).rejects.toMatchObject({ dependency: 'cloud-ops' });
    expect(api.requests).toBe(asked);
    clock.advance(1_001);
    expect(await roles.roleOf('odd.one+x@acme.com', 'orders.a1')).toBeUndefined();
  });

  it.each([429, 401, 403, 500])('wait for everybody when the API answers %s', async (status) => {
    api.mood = { kind: 'status', status };
    await expect(roles.roleOf('reader@acme.com', 'orders.a1')).rejects.toThrow(IdentityUnavailableError);
    const asked = api.requests;
    await expect(roles.roleOf('dev@acme.com', 'orders.a1')).rejects.toThrow(IdentityUnavailableError);
    expect(api.requests).toBe(asked);
  });
});
