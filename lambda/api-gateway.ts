/**
 * What the events and results of API Gateway have to do with requests and responses: one adapter for each kind of front,
 * an HTTP API (payload format version 2.0) and a REST API (1.0).
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import { asBuffer } from '../codec/payload.ts';
import type { CorsConfig } from '../config/schema.ts';
import type { CodecRequest, CodecResponse } from './server/http/message.ts';
import { createCors, type RawHeaders } from './server/http/origin.ts';

/** Between a front and the pipeline. */
export interface EventAdapter<Event, Result> {
  /** The front whose events these are, in words. */
  readonly front: string;
  recognizes(event: unknown): event is Event;
  /** The id by which the request is found in the logs; nothing that a caller can choose. */
  requestIdOf(event: Event, context: Context): string;
  /** @param deadline point in time, in milliseconds of `Date.now()`, by which the answer must be out */
  requestOf(event: Event, requestId: string, deadline: number): CodecRequest;
  /** An answer that needs no pipeline, such as the one to a preflight; undefined where there is none. */
  answerOf?(event: Event): Result | undefined;
  /** @param event undefined where nobody knows it any more */
  resultOf(response: CodecResponse, event: Event | undefined): Result;
}

/** The body as every kind of event carries it. */
interface CarriedBody {
  readonly body?: string | null | undefined;
  readonly isBase64Encoded?: boolean | undefined;
}

function bodyOf({ body, isBase64Encoded }: CarriedBody): Buffer {
  return Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
}

const NO_VALUES: readonly string[] = [];

/** Bytes of JSON that Lambda returns for an invocation: 6 MiB. Above it the gateway would answer 502 in our place. */
const MOST_RESPONSE_BYTES = 6 * 1024 * 1024;

/** Bytes left for what surrounds the body in the result: status, headers, punctuation. */
const RESULT_OVERHEAD_BYTES = 4096;

/**
 * Characters that fit without a closer look: one takes two bytes when it has to be escaped and three
 * when it is not ASCII, and JSON has no control characters, which would take six.
 */
const SURELY_FITS_CHARACTERS = Math.floor((MOST_RESPONSE_BYTES - RESULT_OVERHEAD_BYTES) / 3);

/** The body as text; or the response in its place when Lambda could not carry it. */
function withinLambda(response: CodecResponse): CodecResponse & { readonly body: string } {
  const body = typeof response.body === 'string' ? response.body : asBuffer(response.body).toString('utf8');
  return fits(body) ? { ...response, body } : tooLarge(response);
}

/** Whether Lambda can carry a body. The pipeline asks first, so that its audit line has the status that is sent. */
export function fitsInLambda(body: string | Uint8Array): boolean {
  return fits(typeof body === 'string' ? body : asBuffer(body).toString('utf8'));
}

/** Whether a body, escaped in the JSON of a result, stays within Lambda's limit. */
function fits(body: string): boolean {
  if (body.length <= SURELY_FITS_CHARACTERS) return true;
  return Buffer.byteLength(JSON.stringify(body)) <= MOST_RESPONSE_BYTES - RESULT_OVERHEAD_BYTES;
}

function tooLarge({ headers }: CodecResponse): CodecResponse & { readonly body: string } {
  const body =
    'The decoded payloads are larger than the 6 MB that AWS Lambda can answer with: ask for fewer payloads at a time.';
  return { status: 413, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body };
}

/**
 * Headers whose values hold no comma, so that a comma proves that a header was sent twice: a gateway
 * joins duplicates, and a second token must not hide behind the first.
 */
const WITHOUT_COMMA = new Set([
  'authorization',
  'authorization-extras',
  'content-length',
  'host',
  'origin',
  'x-namespace',
]);

/** The values that a gateway may have joined to one. */
function separated(name: string, value: string): readonly string[] {
  return WITHOUT_COMMA.has(name) && value.includes(',') ? value.split(',').map((part) => part.trim()) : [value];
}

/**
 * A path, percent-encoded again. A gateway may hand it over decoded; what cannot stand in an encoded path
 * is encoded, and what can, such as `%2F`, stays, so that an encoded path comes out as it went in.
 */
function encodedPath(path: string): string {
  if (/^[\w\-.~!$&'()*+,;=:@/]*$/.test(path)) return path;
  return path.replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/giu, (character) =>
    character === '%' ? '%25' : percentEncoded(character),
  );
}

/** UTF-8, percent-encoded; a lone surrogate, which has no UTF-8, as the replacement character. */
function percentEncoded(character: string): string {
  return [...Buffer.from(character, 'utf8')]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

// An HTTP API. The gateway owns CORS: it answers preflight itself and drops the CORS headers of what
// comes back.

/** The gateway answers by the origin, and does not say so itself. */
const VARY = { vary: 'origin' };

/** The adapter of an HTTP API: nothing in it depends on the environment. */
export const httpApiEvents: EventAdapter<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> = {
  front: 'an HTTP API',
  recognizes: (event): event is APIGatewayProxyEventV2 => {
    const { rawPath, requestContext } = (event ?? {}) as Partial<APIGatewayProxyEventV2>;
    return typeof rawPath === 'string' && typeof requestContext?.http?.method === 'string';
  },
  requestIdOf: ({ requestContext }, { awsRequestId }) => requestContext.requestId ?? awsRequestId,
  requestOf(event, requestId, deadline) {
    const { rawPath, rawQueryString: query, requestContext, headers, cookies } = event;
    const { method, sourceIp: sourceAddress } = requestContext.http;
    const path = encodedPath(rawPath);
    const header = (name: string): readonly string[] => {
      // An HTTP API takes the Cookie header apart; together again its parts are one header.
      if (name === 'cookie') return cookies === undefined || cookies.length === 0 ? NO_VALUES : [cookies.join('; ')];
      const value = headers[name];
      return typeof value === 'string' ? separated(name, value) : NO_VALUES;
    };
    return { method, path, query, header, body: bodyOf(event), deadline, requestId, sourceAddress };
  },
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

// A REST API. Such an API has no CORS of its own for several origins, so preflights arrive here and
// are answered as the local server answers them.

/** Hosts at which the path begins with the stage; at a domain of the team's own it does not. */
const DEFAULT_ENDPOINT = /\.execute-api\./;

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

/** Makes the adapter of an environment's REST API. */
export function openRestApiEvents(settings: CorsConfig): EventAdapter<APIGatewayProxyEvent, APIGatewayProxyResult> {
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
    requestOf(event, requestId, deadline) {
      const { httpMethod: method, requestContext } = event;
      const headers = headersOf(event);
      const header = (name: string): readonly string[] => {
        const values = headers.get(name) ?? NO_VALUES;
        // However many there are, together they are one.
        return name === 'cookie' && values.length > 1 ? [values.join('; ')] : values;
      };
      const sourceAddress = requestContext.identity?.sourceIp;
      const [path, query] = [pathOf(event), queryOf(event)];
      return { method, path, query, header, body: bodyOf(event), deadline, requestId, sourceAddress };
    },
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
