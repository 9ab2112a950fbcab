/**
 * Events of a REST API (payload format version 1.0). Such an API has no CORS of its own for several
 * origins, so preflights arrive here and are answered as the local server answers them.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { CorsConfig } from '../config/schema.ts';
import { type EventAdapter, EventRequest, encodedPath, separated, withinLambda } from './event-adapter.ts';
import { createCors, type RawHeaders } from './server/http/origin.ts';

const NO_VALUES: readonly string[] = [];

/** Hosts at which the path begins with the stage; at a domain of the team's own it does not. */
const DEFAULT_ENDPOINT = /\.execute-api\./;

class RestApiRequest extends EventRequest {
  readonly #headers: ReadonlyMap<string, readonly string[]>;

  constructor(event: APIGatewayProxyEvent, requestId: string, deadline: number) {
    const { httpMethod: method, requestContext } = event;
    const sourceAddress = requestContext.identity?.sourceIp;
    super(event, { method, path: pathOf(event), query: queryOf(event), deadline, requestId, sourceAddress });
    this.#headers = headersOf(event);
  }

  header(name: string): readonly string[] {
    const values = this.#headers.get(name) ?? NO_VALUES;
    // However many there are, together they are one.
    return name === 'cookie' && values.length > 1 ? [values.join('; ')] : values;
  }
}

/** Every value by the name in lower case: a REST API passes names on as the client wrote them, and duplicates one by one. */
function headersOf({ headers, multiValueHeaders }: APIGatewayProxyEvent): Map<string, readonly string[]> {
  const all = new Map<string, readonly string[]>();
  const several = Object.entries(multiValueHeaders ?? {});
  const entries =
    several.length > 0 ? several : Object.entries(headers ?? {}).map(([name, it]) => [name, [it]] as const);
  for (const [written, values = []] of entries) {
    const name = written.toLowerCase();
    const given = values.flatMap((value) => (value === undefined ? [] : separated(name, value)));
    all.set(name, [...(all.get(name) ?? []), ...given]);
  }
  return all;
}

/** The path as the client asked for it, without the stage: a stage's name must not be taken for a namespace. */
function pathOf({ path, requestContext }: APIGatewayProxyEvent): string {
  const asked = requestContext.path ?? path;
  const stage = `/${requestContext.stage}`;
  const isBelowStage = DEFAULT_ENDPOINT.test(requestContext.domainName ?? '') && asked.startsWith(`${stage}/`);
  return encodedPath(isBelowStage ? asked.slice(stage.length) : asked);
}

function queryOf({ multiValueQueryStringParameters }: APIGatewayProxyEvent): string {
  const query = new URLSearchParams();
  for (const [name, values = []] of Object.entries(multiValueQueryStringParameters ?? {}))
    for (const value of values) query.append(name, value);
  return query.toString();
}

/** Names and values in turn, as an object. */
function objectOf(raw: RawHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < raw.length; at += 2) headers[raw[at] ?? ''] = raw[at + 1] ?? '';
  return headers;
}

/** Makes the adapter of an environment. */
export function openEvents(settings: CorsConfig): EventAdapter<APIGatewayProxyEvent, APIGatewayProxyResult> {
  const cors = createCors(settings);
  const originOf = (event: APIGatewayProxyEvent | undefined): string | undefined => {
    const values = event === undefined ? NO_VALUES : (headersOf(event).get('origin') ?? NO_VALUES);
    return values.length === 1 ? values[0] : undefined;
  };
  return {
    front: 'a REST API',
    recognizes: (event): event is APIGatewayProxyEvent => {
      const { httpMethod, requestContext } = (event ?? {}) as Partial<APIGatewayProxyEvent>;
      // A load balancer's event has a method, too, but neither API nor stage.
      return typeof httpMethod === 'string' && typeof requestContext?.apiId === 'string';
    },
    // Callers can choose `requestContext.requestId` by a header.
    requestIdOf: ({ requestContext }, { awsRequestId }) => requestContext.extendedRequestId ?? awsRequestId,
    requestOf: (event, requestId, deadline) => new RestApiRequest(event, requestId, deadline),
    answerOf(event) {
      if (event.httpMethod !== 'OPTIONS') return undefined;
      const origin = originOf(event);
      return { statusCode: 204, headers: objectOf(cors.preflightHeaders(origin) ?? cors.headersFor(origin)), body: '' };
    },
    resultOf(response, event) {
      const { status, headers, body, cookies } = withinLambda(response);
      return {
        statusCode: status,
        headers: { ...headers, ...objectOf(cors.headersFor(originOf(event))) },
        ...(cookies === undefined ? {} : { multiValueHeaders: { 'set-cookie': [...cookies] } }),
        body,
        isBase64Encoded: false,
      };
    },
  };
}
