/**
 * Events of an HTTP API (payload format version 2.0). The gateway owns CORS: it answers preflight itself
 * and drops the CORS headers of what comes back.
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type EventAdapter, encodedPath, separated, withinLambda } from './event-adapter.ts';
import type { CodecRequest } from './server/http/message.ts';

/** The gateway answers by the origin, and does not say so itself. */
const VARY = { vary: 'origin' };

const NO_VALUES: readonly string[] = [];

/** A request out of an event. */
class HttpApiRequest implements CodecRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly deadline: number;
  readonly requestId: string;
  readonly sourceAddress: string | undefined;
  answeredInstead: ((status: number) => void) | undefined;
  readonly #event: APIGatewayProxyEventV2;
  #body: Buffer | undefined;

  /** @param deadline point in time, in milliseconds of `Date.now()`, by which the answer must be out */
  constructor(event: APIGatewayProxyEventV2, requestId: string, deadline: number) {
    this.#event = event;
    this.method = event.requestContext.http.method;
    this.path = encodedPath(event.rawPath);
    this.query = event.rawQueryString;
    this.requestId = requestId;
    this.sourceAddress = event.requestContext.http.sourceIp;
    this.deadline = deadline;
  }

  get body(): Buffer {
    const { body, isBase64Encoded } = this.#event;
    this.#body ??= Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
    return this.#body;
  }

  header(name: string): readonly string[] {
    if (name === 'cookie') return cookieHeader(this.#event);
    const value = this.#event.headers[name];
    if (typeof value !== 'string') return NO_VALUES;
    return separated(name, value);
  }
}

/** The gateway takes the Cookie header apart; together again they are one header. */
function cookieHeader({ cookies }: APIGatewayProxyEventV2): readonly string[] {
  return cookies === undefined || cookies.length === 0 ? NO_VALUES : [cookies.join('; ')];
}

/** The adapter. */
export const httpApiEvents: EventAdapter<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> = {
  front: 'an HTTP API',
  recognizes: (event): event is APIGatewayProxyEventV2 => {
    const { rawPath, requestContext } = (event ?? {}) as Partial<APIGatewayProxyEventV2>;
    return typeof rawPath === 'string' && typeof requestContext?.http?.method === 'string';
  },
  requestIdOf: ({ requestContext }, { awsRequestId }) => requestContext.requestId ?? awsRequestId,
  requestOf: (event, requestId, deadline) => new HttpApiRequest(event, requestId, deadline),
  resultOf(response) {
    const { status, headers, body, cookies } = withinLambda(response);
    return {
      statusCode: status,
      headers: { ...headers, ...VARY },
      body,
      ...(cookies === undefined ? {} : { cookies: [...cookies] }),
    };
  },
};

/** Makes the adapter: nothing in it depends on the environment. */
export const openEvents = (): typeof httpApiEvents => httpApiEvents;
