/** What only the network can say: where the endpoint is for a browser, and what a gateway in front answers by itself. */
import { isPrivateAddress } from '../../config/private-addresses.ts';
import { isLoopback } from './connection.ts';
import { answered, resolveHost } from './exchange.ts';
import { type Finding, ok, skipped, warning } from './finding.ts';
import type { Target } from './target.ts';

/** Headers by which API Gateway gives itself away. */
const GATEWAY_HEADERS = ['apigw-requestid', 'x-amz-apigw-id'] as const;

/** Whether browsers will ask people before a page of the internet calls the endpoint. */
export async function checkAddressSpace(
  { options: { endpoint, origin } }: Target,
  resolve: typeof resolveHost = resolveHost,
): Promise<Finding> {
  if (isLoopback(endpoint)) return skipped('address-space', 'the endpoint is on this machine');
  const addresses = await resolve(endpoint.hostname);
  if (!Array.isArray(addresses)) return skipped('address-space', 'the name has no address here');
  const found = addresses.find(isPrivateAddress);
  if (found === undefined) return ok('address-space', 'the endpoint has a public address: browsers ask nobody');
  return warning(
    'address-space',
    `${endpoint.hostname} is ${found}, a private address`,
    `when a page of the internet calls it, Chrome 142 and later ask the person first; ${origin} may be such a page`,
    'let people allow it once, or set the policy for managed browsers: docs/network.md names it',
  );
}

/** Whether a page can read what a gateway answers without the server: nobody promises it, so either answer is right. */
export async function checkGatewayCors(target: Target): Promise<Finding> {
  const { origin } = target.options;
  const path = `${target.basePath}/doctor-no-such-path`;
  const answer = await target.exchange({ method: 'GET', path, headers: { origin, accept: '*/*' } });
  if (!answered(answer) || !GATEWAY_HEADERS.some((name) => answer.headers[name] !== undefined))
    return skipped('gateway-cors', 'no API Gateway is in front');
  const allowed = answer.headers['access-control-allow-origin'];
  return allowed === origin || allowed === '*'
    ? ok('gateway-cors', `a ${answer.status} of the gateway itself has CORS headers: pages can read its status`)
    : ok('gateway-cors', `a ${answer.status} of the gateway itself has no CORS headers: pages see a network error`);
}
