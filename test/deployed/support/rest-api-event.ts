/** The event that a REST API makes of a request, payload format 1.0. */
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';

export interface RestApiEventParts {
  readonly route: string;
  readonly stage: string;
  /** The path without the stage. */
  readonly path: string;
  /** Whether the request came to the default endpoint, where the stage is in the path. */
  readonly isDefaultEndpoint: boolean;
  readonly extendedRequestId: string;
  readonly sourceIp: string;
  readonly vpcEndpoint: string | undefined;
  readonly body: Buffer;
}

export function restApiEvent(request: IncomingMessage, parts: RestApiEventParts): APIGatewayProxyEvent {
  const { method = 'GET', url = '/' } = request;
  const { route, stage, path, isDefaultEndpoint, extendedRequestId, sourceIp, vpcEndpoint, body } = parts;
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const several: Record<string, string[]> = {};
  // Names as the client wrote them, and duplicates one by one.
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? '';
    several[name] = [...(several[name] ?? []), request.rawHeaders[at + 1] ?? ''];
  }
  several['X-Forwarded-For'] = [sourceIp];
  const last = (values: string[]) => values.at(-1) ?? '';
  const names = [...new Set(query.keys())];
  return {
    resource: route,
    path,
    httpMethod: method,
    headers: Object.fromEntries(Object.entries(several).map(([name, values]) => [name, last(values)])),
    multiValueHeaders: several,
    queryStringParameters: names.length === 0 ? null : Object.fromEntries(query),
    multiValueQueryStringParameters:
      names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, query.getAll(name)])),
    pathParameters: { proxy: path.slice(1) },
    stageVariables: null,
    requestContext: {
      accountId: '111122223333',
      apiId: 'abcdef1234',
      authorizer: null,
      domainName: isDefaultEndpoint ? 'abcdef1234.execute-api.eu-central-1.amazonaws.com' : 'codec.example.com',
      extendedRequestId,
      httpMethod: method,
      identity: {
        sourceIp,
        ...(vpcEndpoint === undefined ? {} : { vpceId: vpcEndpoint }),
      } as unknown as APIGatewayProxyEvent['requestContext']['identity'],
      path: isDefaultEndpoint ? `/${stage}${path}` : path,
      protocol: 'HTTP/1.1',
      // A caller may choose this one.
      requestId: String(request.headers['x-amzn-requestid'] ?? extendedRequestId),
      requestTimeEpoch: Date.now(),
      resourceId: 'resource',
      resourcePath: route,
      stage,
    },
    body: body.length === 0 ? null : body.toString('utf8'),
    isBase64Encoded: false,
  };
}
