/**
 * The sign-in's own paths: `/` (status), `/login`, `/callback`, `/logout`. Each is a page that a person
 * opens: a GET without `Origin`, and exactly this path. Redirects go to the provider that the configuration
 * names and to `/`; nothing in a request chooses where to.
 */
import { hash } from 'node:crypto';
import { AuditRecord, type AuditSink } from '../audit/audit.ts';
import { type Caller, IdentityUnavailableError, UnauthenticatedError } from '../auth/caller.ts';
import type { CodecPipeline, CodecRequest, CodecResponse } from '../http/message.ts';
import { textResponse } from '../http/responses.ts';
import { messagePage, type PageSettings, REDIRECT_HEADERS, statusPage } from './pages.ts';
import { type Provider, SignInRefusedError } from './provider.ts';
import type { ReadableNamespaces } from './readable-namespaces.ts';
import { cookieValues, SESSION_COOKIE, SIGN_IN_COOKIE, setCookie } from './seal.ts';
import type { Sessions } from './sessions.ts';
import type { SignInFlow } from './sign-in-flow.ts';

export interface RoutesDeps {
  readonly pipeline: CodecPipeline;
  readonly sessions: Sessions;
  readonly flow: SignInFlow;
  readonly provider: Provider;
  readonly pages: PageSettings;
  readonly namespacesOf: (caller: Caller) => readonly ReadableNamespaces[];
  /** What of a person is kept in the session. */
  readonly kept: (caller: Caller) => Caller;
  /** Whether a session decides before a token. */
  readonly sessionFirst: boolean;
  readonly audit: AuditSink;
  readonly onBug: (error: unknown, requestId: string) => void;
}

type Page = 'status' | 'sign-in' | 'sign-in-callback' | 'sign-out';

const PAGES: ReadonlyMap<string, Page> = new Map([
  ['/', 'status'],
  ['/login', 'sign-in'],
  ['/callback', 'sign-in-callback'],
  ['/logout', 'sign-out'],
]);

/** Longer than any provider's answer. */
const MAX_QUERY_LENGTH = 8_192;

const AGAIN = { to: '/login', text: 'Sign in' };
const HOME = { to: '/', text: 'Back' };

/** Puts the pages in front of a pipeline. */
export function createRoutes(deps: RoutesDeps): CodecPipeline {
  const routes = new Routes(deps);
  return (request) => {
    const page = request.method === 'GET' || request.method === 'HEAD' ? PAGES.get(request.path) : undefined;
    return page === undefined ? routes.pass(request) : routes.show(page, request);
  };
}

class Routes {
  readonly #deps: RoutesDeps;

  constructor(deps: RoutesDeps) {
    this.#deps = deps;
  }

  /** A request of the codec protocol; an answer that the session got may prolong it. Health is asked for by anybody. */
  async pass(request: CodecRequest): Promise<CodecResponse> {
    const cookies = request.header('cookie');
    const answer = await this.#deps.pipeline(request);
    if (cookieValues(cookies, SESSION_COOKIE).length === 0 || !this.#sessionDecides(request)) return answer;
    return this.#prolonged(answer, cookies);
  }

  async show(page: Page, request: CodecRequest): Promise<CodecResponse> {
    const account = new AuditRecord(request.requestId, performance.now());
    account.operation = page;
    const response = await this.#answer(page, request, account).catch((error) => this.#failed(error, request, account));
    if (page !== 'status') this.#deps.audit.record(account.entry(response.status, performance.now()));
    return response;
  }

  #sessionDecides(request: CodecRequest): boolean {
    if (request.method !== 'POST') return false;
    if (request.header('origin').length === 0) return false;
    const hasToken = request.header('authorization').length > 0 || request.header('authorization-extras').length > 0;
    return this.#deps.sessionFirst || !hasToken;
  }

  async #prolonged(answer: CodecResponse, cookies: readonly string[]): Promise<CodecResponse> {
    if (answer.status !== 200) return answer;
    const cookie = await this.#deps.sessions.prolong(cookies);
    return cookie === undefined ? answer : { ...answer, cookies: [cookie] };
  }

  async #answer(page: Page, request: CodecRequest, account: AuditRecord): Promise<CodecResponse> {
    // A page's script says where it is from; whatever it is, these pages are not for scripts.
    if (request.header('origin').length > 0) {
      const text = 'This page is for people: open it in a browser window of its own.';
      return textResponse(403, text, request.requestId);
    }
    if (request.method === 'HEAD') return textResponse(405, 'Use GET', request.requestId, { allow: 'GET' });
    switch (page) {
      case 'status':
        return this.#status(request);
      case 'sign-in':
        return this.#signIn(request);
      case 'sign-in-callback':
        return this.#callback(request, account);
      case 'sign-out':
        return this.#signOut(request, account);
    }
  }

  async #status(request: CodecRequest): Promise<CodecResponse> {
    const { requestId } = request;
    const session = await this.#deps.sessions.find(request.header('cookie'));
    if (session === undefined) return statusPage(undefined, this.#deps.pages, requestId);
    const { caller, endsAt, idleEndsAt } = session;
    const person = caller.email ?? caller.subject;
    const namespaces = this.#deps.namespacesOf(caller);
    const signedIn = { person, issuer: caller.issuer ?? '', endsAt, idleEndsAt, namespaces };
    return statusPage(signedIn, this.#deps.pages, requestId);
  }

  async #signIn({ requestId }: CodecRequest): Promise<CodecResponse> {
    const { url, secrets } = await this.#deps.provider.begin();
    return redirect(url, [await this.#deps.flow.cookieOf(secrets)], requestId);
  }

  async #callback(request: CodecRequest, account: AuditRecord): Promise<CodecResponse> {
    const { query, requestId } = request;
    const secrets =
      query.length > MAX_QUERY_LENGTH ? undefined : await this.#deps.flow.secretsOf(request.header('cookie'));
    if (secrets === undefined) {
      account.unauthenticated = 'sign-in-state';
      const text =
        'This sign-in was not started in this browser, or more than ten minutes ago, or was already used: start again.';
      return withoutSignInCookie(messagePage(400, 'Not signed in', text, AGAIN, requestId));
    }
    const caller = this.#deps.kept(await this.#deps.provider.finish(query, secrets, request.sourceAddress));
    account.caller = caller;
    const cookie = await this.#deps.sessions.start(caller);
    if (cookie === undefined) {
      const text =
        'What the access rules ask about you does not fit into a cookie: use an access token instead, or ask whoever runs this codec server to name fewer claims.';
      return withoutSignInCookie(messagePage(403, 'Not signed in', text, HOME, requestId));
    }
    return redirect('/', [cookie, removed(SIGN_IN_COOKIE)], requestId);
  }

  /**
   * Another site's page could open this one: then the person is asked, by a link that only they can follow. A
   * browser that does not say where it comes from follows it with a proof that no other site can know.
   */
  async #signOut(request: CodecRequest, account: AuditRecord): Promise<CodecResponse> {
    const { requestId } = request;
    const [site] = request.header('sec-fetch-site');
    const isOurs = site === 'none' || site === 'same-origin';
    const proof = proofOf(request.header('cookie'));
    // By name: some gateways write a query anew, and a value without a name comes back with an equals sign.
    const given = new URLSearchParams(request.query).get('proof');
    if (!isOurs && proof !== undefined && given !== proof) {
      const link = { to: `/logout?proof=${proof}`, text: 'Sign out' };
      return messagePage(200, 'Sign out?', 'Confirm that it is you who wants to.', link, requestId);
    }
    account.caller = (await this.#deps.sessions.end(request.header('cookie')))?.caller;
    const text = 'You are signed out of this codec server. At your identity provider you may still be signed in.';
    const response = messagePage(200, 'Signed out', text, { to: '/login', text: 'Sign in again' }, requestId);
    return { ...response, cookies: [removed(SESSION_COOKIE), removed(SIGN_IN_COOKIE)] };
  }

  #failed(error: unknown, { requestId }: CodecRequest, account: AuditRecord): CodecResponse {
    if (error instanceof SignInRefusedError) {
      account.unauthenticated = 'sign-in-refused';
      return withoutSignInCookie(messagePage(403, 'Not signed in', error.message, AGAIN, requestId));
    }
    if (error instanceof UnauthenticatedError) {
      account.unauthenticated = error.reason;
      const text = 'What the identity provider says of you is not valid here: sign in again.';
      return withoutSignInCookie(messagePage(401, 'Not signed in', text, AGAIN, requestId));
    }
    if (error instanceof IdentityUnavailableError) {
      account.fault = error.dependency;
      const text = 'A service that signing in depends on does not answer now: try again in a moment.';
      const response = messagePage(503, 'Not now', text, AGAIN, requestId);
      const retryAfter = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
      return { ...response, headers: { ...response.headers, 'retry-after': retryAfter } };
    }
    this.#deps.onBug(error, requestId);
    return messagePage(500, 'Internal error', 'Something went wrong here.', HOME, requestId);
  }
}

/** Says that a link was made for this browser's session; nobody else can tell it. Undefined without one. */
function proofOf(cookies: readonly string[]): string | undefined {
  const [session] = cookieValues(cookies, SESSION_COOKIE);
  return session === undefined ? undefined : hash('sha256', `sign-out ${session}`, 'base64url');
}

function redirect(location: string, cookies: readonly string[], requestId: string): CodecResponse {
  return { status: 303, headers: { ...REDIRECT_HEADERS, location, 'x-request-id': requestId }, cookies, body: '' };
}

function removed(name: string): string {
  return setCookie(name, '', 0);
}

/** What came back once does not come back a second time. */
function withoutSignInCookie(response: CodecResponse): CodecResponse {
  return { ...response, cookies: [removed(SIGN_IN_COOKIE)] };
}
