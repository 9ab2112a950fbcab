/**
 * An API Gateway HTTP API on loopback, as its template describes it: routes, CORS that the gateway
 * owns, throttling, limits, events of payload format 2.0, and what becomes of results and failures.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GatewayOptions, GatewayServer, headerBytes, readBody, withTimeout } from './gateway-server.ts';
import { type HttpApiEvent, httpApiEvent } from './http-api-event.ts';
import { InvocationError } from './lambda-instance.ts';

/** Bytes of the request line and the headers together. */
const MOST_HEADER_BYTES = 10_240;
const INTEGRATION_TIMEOUT_MS = 30_000;

/** The template's `CorsConfiguration`. */
export interface GatewayCors {
  readonly AllowOrigins?: readonly string[];
  readonly AllowMethods?: readonly string[];
  readonly AllowHeaders?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  readonly MaxAge?: number;
  readonly AllowCredentials?: boolean;
}

export interface HttpApiOptions extends GatewayOptions {
  /** Route keys, such as `POST /{proxy+}`, and what answers each. */
  readonly routes: Readonly<Record<string, (event: HttpApiEvent) => Promise<unknown>>>;
  readonly cors: GatewayCors | undefined;
}

export class HttpApi extends GatewayServer {
  readonly #options: HttpApiOptions;

  private constructor(options: HttpApiOptions) {
    super(options);
    this.#options = options;
  }

  static async start(options: HttpApiOptions): Promise<HttpApi> {
    const api = new HttpApi(options);
    await api.listen();
    return api;
  }

  get endpoint(): string {
    return this.origin;
  }

  protected async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const cors = this.#corsHeaders(request);
    const answer = (
      status: number,
      headers: Record<string, string | string[]>,
      body: string | Buffer,
      route?: string,
    ) => {
      this.accesses.push({ method, path: url.split('?')[0] ?? '', route: route ?? '-', status });
      // What the integration says about CORS is dropped: the gateway owns it.
      const own = Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith('access-control-'));
      response.writeHead(status, {
        ...Object.fromEntries(own),
        // AWS promises CORS headers on what an integration answers, and says nothing of what the gateway does by itself.
        ...(route === undefined ? {} : cors),
        'content-length': String(Buffer.byteLength(body)),
        'apigw-requestid': requestId,
      });
      response.end(body);
    };
    const refuse = (status: number, message: string) =>
      answer(status, { 'content-type': 'application/json' }, JSON.stringify({ message }));
    const requestId = `${randomBytes(11).toString('base64url')}=`;

    if (headerBytes(request) > MOST_HEADER_BYTES) return refuse(431, 'Request Header Fields Too Large');
    if (!this.takeToken()) return refuse(429, 'Too Many Requests');
    if (method === 'OPTIONS' && this.#options.cors !== undefined) return this.#preflight(request, response);
    const route = this.#routeOf(method, url);
    if (route === undefined) return refuse(404, 'Not Found');
    const body = await readBody(request);
    if (body === undefined) return refuse(413, 'Request Entity Too Large');

    const event = httpApiEvent(request, { route: route.key, requestId, body });
    try {
      const result = await withTimeout(route.integration(event), INTEGRATION_TIMEOUT_MS);
      const { status, headers, content } = responseOf(result);
      answer(status, headers, content, route.key);
    } catch (error) {
      if (error instanceof InvocationError && error.kind === 'RequestTooLargeException')
        return refuse(413, 'Request Entity Too Large');
      const unavailable =
        error instanceof InvocationError && ['Timeout', 'TooManyRequestsException'].includes(error.kind);
      if (unavailable) return refuse(503, 'Service Unavailable');
      refuse(500, 'Internal Server Error');
    }
  }

  #routeOf(method: string, url: string) {
    const path = url.split('?')[0] ?? '/';
    const exact = this.#options.routes[`${method} ${path}`];
    if (exact !== undefined) return { key: `${method} ${path}`, integration: exact };
    const key = `${method} /{proxy+}`;
    const greedy = this.#options.routes[key];
    return greedy !== undefined && path.length > 1 ? { key, integration: greedy } : undefined;
  }

  /** The CORS headers of an answer to this request, if its origin is allowed. */
  #corsHeaders(request: IncomingMessage): Record<string, string> {
    const { cors } = this.#options;
    const { origin } = request.headers;
    if (cors === undefined || origin === undefined || !cors.AllowOrigins?.includes(origin)) return {};
    return {
      'access-control-allow-origin': origin,
      ...(cors.AllowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
      ...(cors.ExposeHeaders ? { 'access-control-expose-headers': cors.ExposeHeaders.join(',') } : {}),
    };
  }

  /** Answered by the gateway itself, without the function. */
  #preflight(request: IncomingMessage, response: ServerResponse): void {
    const { cors } = this.#options;
    const allowed = this.#corsHeaders(request);
    const more: Record<string, string> = {};
    if (cors !== undefined && Object.keys(allowed).length > 0) {
      more['access-control-allow-methods'] = (cors.AllowMethods ?? []).join(',');
      more['access-control-allow-headers'] = (cors.AllowHeaders ?? []).join(',');
      if (cors.MaxAge !== undefined) more['access-control-max-age'] = String(cors.MaxAge);
    }
    this.accesses.push({ method: 'OPTIONS', path: request.url ?? '/', route: '-', status: 204 });
    response.writeHead(204, { ...allowed, ...more }).end();
  }
}

/** What the gateway makes of a result of payload format 2.0. */
function responseOf(result: unknown): { status: number; headers: Record<string, string | string[]>; content: Buffer } {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    const text = typeof result === 'string' ? result : JSON.stringify(result);
    return { status: 200, headers: { 'content-type': 'application/json' }, content: Buffer.from(text) };
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = result as {
    statusCode: number;
    headers?: Record<string, string>;
    cookies?: string[];
    body?: string;
    isBase64Encoded?: boolean;
  };
  return {
    status: Number(statusCode),
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)])),
      ...(cookies === undefined ? {} : { 'set-cookie': cookies }),
    },
    content: Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'),
  };
}
