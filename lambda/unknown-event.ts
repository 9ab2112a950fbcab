/** Events that the environment's front does not send: from a load balancer, the other kind of API, or somebody's test. */

/** What may be there to tell events apart by. */
interface Traces {
  readonly requestContext?: { readonly elb?: unknown; readonly http?: unknown; readonly apiId?: unknown };
  readonly httpMethod?: unknown;
  readonly Records?: unknown;
}

/**
 * A sentence for the log: what came, and what to configure.
 *
 * @param front the front that the environment has, in words
 */
export function describeEvent(event: unknown, front: string): string {
  const came = kindOf((event ?? {}) as Traces);
  return `The event is ${came.kind}, and this function is deployed for ${front}: ${came.fix}`;
}

function kindOf({ requestContext, httpMethod, Records }: Traces): { readonly kind: string; readonly fix: string } {
  if (requestContext?.elb !== undefined) {
    return {
      kind: 'from a load balancer',
      fix: 'a load balancer takes 1 MB of payloads at the most, so it cannot stand in front of it. Use deployment.front, whose REST API can be private; docs/network.md says which one fits.',
    };
  }
  if (requestContext?.http !== undefined)
    return { kind: 'from an HTTP API or a function URL', fix: "set deployment.front to 'http-api' and deploy again." };
  if (typeof httpMethod === 'string' && requestContext?.apiId !== undefined)
    return { kind: 'from a REST API', fix: "set deployment.front to { type: 'rest-api', … } and deploy again." };
  if (Records !== undefined)
    return {
      kind: 'from a queue or a topic',
      fix: 'it answers HTTP requests, and nothing should be subscribed to it.',
    };
  return { kind: 'no HTTP request', fix: 'send it requests through the endpoint of its stack.' };
}

/** An answer in a form that a load balancer and both kinds of API understand. */
export function unknownEventResult(event: unknown, advice: string, requestId: string): object {
  const isBalancer = (event as Traces | null)?.requestContext?.elb !== undefined;
  return {
    statusCode: 501,
    ...(isBalancer ? { statusDescription: '501 Not Implemented' } : {}),
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
    body: `${advice} (request ${requestId})\n`,
    isBase64Encoded: false,
  };
}
