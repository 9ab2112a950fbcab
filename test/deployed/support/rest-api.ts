/**
 * An API Gateway REST API on loopback, as its template describes it: routes below a stage, resource
 * policy, throttling, limits, gateway responses, events of payload format 1.0, and what becomes of
 * results and failures.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { type GatewayOptions, GatewayServer, headerBytes, readBody, withTimeout } from './gateway-server.ts';
import { InvocationError } from './lambda-instance.ts';
import { allows, type CallerPlace, type PolicyStatement } from './resource-policy.ts';
import { restApiEvent } from './rest-api-event.ts';

/** Bytes of the request line and the headers together. */
const MOST_HEADER_BYTES = { REGIONAL: 10_240, PRIVATE: 8_000 } as const;
const INTEGRATION_TIMEOUT_MS = 29_000;

/** Headers of an integration that a REST API passes on by another name. */
const REMAPPED = new Set(['www-authenticate', 'date', 'server', 'connection', 'content-length']);

/** A gateway response of the template. */
export interface GatewayResponse {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RestApiOptions extends GatewayOptions {
  /** Methods and resources, such as `POST /{proxy+}`, and what answers each. */
  readonly routes: Readonly<Record<string, (event: APIGatewayProxyEvent) => Promise<unknown>>>;
  readonly stage: string;
  /** Whether a domain of the team's own is in front: then no stage is in the path. */
  readonly hasDomain: boolean;
  readonly type: 'REGIONAL' | 'PRIVATE';
  readonly policy: readonly PolicyStatement[];
  /** By the type of response, such as `DEFAULT_4XX`. */
  readonly responses: Readonly<Record<string, GatewayResponse>>;
}

export class RestApi extends GatewayServer {
  /** Where requests come from; a test moves it. */
  from: CallerPlace;
  readonly #options: RestApiOptions;

  private constructor(options: RestApiOptions, from: CallerPlace) {
    super(options);
    this.#options = options;
    this.from = from;
  }

  /** @param from where requests come from, until somebody moves it */
  static async start(options: RestApiOptions, from: CallerPlace): Promise<RestApi> {
    const api = new RestApi(options, from);
    await api.listen();
    return api;
  }

  get endpoint(): string {
    return this.#options.hasDomain ? this.origin : `${this.origin}/${this.#options.stage}`;
  }

  protected async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const { stage, hasDomain, type, policy } = this.#options;
    const { from } = this;
    const extendedRequestId = `${randomBytes(11).toString('base64url')}=`;
    const asked = url.split('?')[0] ?? '/';
    const answer = (status: number, headers: Record<string, string | string[]>, body: string | Buffer, route = '-') => {
      this.accesses.push({ method, path: asked, route, status });
      const length = String(Buffer.byteLength(body));
      response.writeHead(status, { ...headers, 'content-length': length, 'x-amz-apigw-id': extendedRequestId });
      response.end(body);
    };
    const refuse = (kind: string, status: number, message: string) => {
      const { responses } = this.#options;
      const own = responses[kind] ?? responses[status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX'];
      // A 413 cannot be customized.
      const { status: changed, headers = {} } = kind === 'REQUEST_TOO_LARGE' ? {} : (own ?? {});
      answer(changed ?? status, { 'content-type': 'application/json', ...headers }, JSON.stringify({ message }));
    };

    if (headerBytes(request) > MOST_HEADER_BYTES[type])
      return refuse('DEFAULT_4XX', 431, 'Request Header Fields Too Large');
    const isBelowStage = hasDomain || asked === `/${stage}` || asked.startsWith(`/${stage}/`);
    if (!isBelowStage) return answer(403, { 'content-type': 'application/json' }, '{"message":"Forbidden"}');
    const path = (hasDomain ? asked : asked.slice(stage.length + 1)) || '/';
    if (!allows(policy, from))
      return refuse('ACCESS_DENIED', 403, 'User: anonymous is not authorized to perform: execute-api:Invoke');
    if (!this.takeToken()) return refuse('THROTTLED', 429, 'Too Many Requests');
    const route = this.#routeOf(method, path);
    if (route === undefined) return refuse('MISSING_AUTHENTICATION_TOKEN', 403, 'Missing Authentication Token');
    const body = await readBody(request);
    if (body === undefined) return refuse('REQUEST_TOO_LARGE', 413, 'Request Too Long');

    const event = restApiEvent(request, {
      route: route.resource,
      stage,
      path,
      isDefaultEndpoint: !hasDomain,
      extendedRequestId,
      sourceIp: from.sourceIp,
      vpcEndpoint: from.vpcEndpoint,
      body,
    });
    try {
      const result = await withTimeout(route.integration(event), INTEGRATION_TIMEOUT_MS);
      const { status, headers, content } = responseOf(result);
      answer(status, headers, content, `${method} ${route.resource}`);
    } catch (error) {
      const kind = error instanceof InvocationError ? error.kind : '';
      if (kind === 'RequestTooLargeException') return refuse('REQUEST_TOO_LARGE', 413, 'Request Too Long');
      if (kind === 'Timeout') return refuse('INTEGRATION_TIMEOUT', 504, 'Endpoint request timed out');
      refuse('INTEGRATION_FAILURE', 502, 'Internal server error');
    }
  }

  #routeOf(method: string, path: string) {
    const { routes } = this.#options;
    const isExact = Object.keys(routes).some((key) => key.endsWith(` ${path}`));
    const resource = isExact ? path : '/{proxy+}';
    const integration = path === '/' && !isExact ? undefined : routes[`${method} ${resource}`];
    return integration === undefined ? undefined : { resource, integration };
  }
}

/** What the gateway makes of a result of payload format 1.0. */
function responseOf(result: unknown): { status: number; headers: Record<string, string | string[]>; content: Buffer } {
  if (typeof result !== 'object' || result === null || !('statusCode' in result))
    throw new InvocationError('MalformedProxyResponse', 'the result has no status');
  const {
    statusCode,
    headers = {},
    multiValueHeaders = {},
    body = '',
    isBase64Encoded,
  } = result as APIGatewayProxyResult;
  const passed = (name: string) =>
    REMAPPED.has(name.toLowerCase()) ? `x-amzn-remapped-${name.toLowerCase()}` : name.toLowerCase();
  return {
    status: statusCode,
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [passed(name), String(value)])),
      ...Object.fromEntries(
        Object.entries(multiValueHeaders).map(([name, values]) => [passed(name), values.map(String)]),
      ),
    },
    content: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  };
}
