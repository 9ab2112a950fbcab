/**
 * Events of an HTTP API (payload format version 2.0). The gateway owns CORS: it answers preflight itself
 * and drops the CORS headers of what comes back.
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type EventAdapter, EventRequest, encodedPath, separated, withinLambda } from './event-adapter.ts';

/** The gateway answers by the origin, and does not say so itself. */
const VARY = { vary: 'origin' };

const NO_VALUES: readonly string[] = [];

/** A request out of an event. */
class HttpApiRequest extends EventRequest {
  readonly #event: APIGatewayProxyEventV2;

  constructor(event: APIGatewayProxyEventV2, requestId: string, deadline: number) {
    const { http } = event.requestContext;
    const path = encodedPath(event.rawPath);
    const query = event.rawQueryString;
    super(event, { method: http.method, path, query, deadline, requestId, sourceAddress: http.sourceIp });
    this.#event = event;
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

const httpApiEvents: EventAdapter<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> = {
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
