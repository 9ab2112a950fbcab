import type { APIGatewayProxyEvent } from 'aws-lambda';

/** An event as a REST API sends it for a POST; `changes` overrides its top level, `context` its request context. */
export function restApiEvent(
  changes: Partial<APIGatewayProxyEvent> = {},
  context: Partial<APIGatewayProxyEvent['requestContext']> = {},
): APIGatewayProxyEvent {
  const { path = '/decode', httpMethod = 'POST' } = changes;
  return {
    resource: '/{proxy+}',
    path,
    httpMethod,
    headers: {},
    multiValueHeaders: { 'Content-Type': ['application/json'] },
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: { proxy: path.slice(1) },
    stageVariables: null,
    requestContext: {
      accountId: '111122223333',
      apiId: 'abc123',
      authorizer: null,
      domainName: 'abc123.execute-api.eu-central-1.amazonaws.com',
      extendedRequestId: 'JKJaXmPLvHcESHA=',
      httpMethod,
      identity: { sourceIp: '192.0.2.1' } as APIGatewayProxyEvent['requestContext']['identity'],
      path: `/live${path}`,
      protocol: 'HTTP/1.1',
      requestId: 'chosen-by-the-caller',
      requestTimeEpoch: 1795514400000,
      resourceId: 'res123',
      resourcePath: '/{proxy+}',
      stage: 'live',
      ...context,
    },
    body: null,
    isBase64Encoded: false,
    ...changes,
  };
}
