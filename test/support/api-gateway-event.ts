import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** An event as an HTTP API sends it for a POST; `changes` overrides its top level. */
export function apiGatewayEvent(changes: Partial<APIGatewayProxyEventV2> = {}): APIGatewayProxyEventV2 {
  const path = changes.rawPath ?? '/decode';
  return {
    version: '2.0',
    routeKey: 'POST /{proxy+}',
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'abc123.execute-api.eu-central-1.amazonaws.com' },
    requestContext: {
      accountId: '111122223333',
      apiId: 'abc123',
      domainName: 'abc123.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'abc123',
      http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: 'POST /{proxy+}',
      stage: '$default',
      time: '24/Nov/2026:10:00:00 +0000',
      timeEpoch: 1795514400000,
    },
    isBase64Encoded: false,
    ...changes,
  };
}
