/** Can the clients reach the server at all, and as what: address, name, certificate, redirects, clock. */
import { isLoopbackHostname, isPrivateAddress } from '../../config/addresses.ts';
import { answered, certificateOf, resolveHost } from './exchange.ts';
import { type Finding, failure, ok, skipped, warning } from './report.ts';
import { plainBody, type Target } from './target.ts';

const DAY = 86_400_000;

/** The form of the endpoint itself. */
export function checkAddress({ options: { endpoint } }: Target): Finding {
  if (endpoint.protocol === 'http:' && !isLoopbackHostname(endpoint.hostname))
    return failure(
      'address',
      `${endpoint.origin} is plain http`,
      'over http payloads travel readable, and the Web UI passes no token to it',
      'serve it over https; on AWS the output CodecEndpoint is an https address',
    );
  if (endpoint.search || endpoint.hash)
    return failure(
      'address',
      'the endpoint has a query or a fragment',
      'clients append /decode to the text as it is, so the operation would end up behind the ?',
      'use the address without ? and #',
    );
  if (endpoint.username || endpoint.password)
    return failure(
      'address',
      'the endpoint has a user name or password in it',
      'browsers refuse to fetch such addresses, and everyone who sees the settings reads them',
      'use a token instead',
    );
  return ok('address', endpoint.protocol === 'https:' ? 'https' : 'http on this machine');
}

/** The host name. */
export async function checkName({ options: { endpoint } }: Target): Promise<Finding> {
  const addresses = await resolveHost(endpoint.hostname);
  if (Array.isArray(addresses)) return ok('dns', `${endpoint.hostname} is ${addresses.join(', ')}`);
  return failure(
    'dns',
    `${endpoint.hostname} has no address (${addresses.error})`,
    'the name is misspelt, its record is missing, or this network cannot resolve it',
    'compare it with the stack output CodecEndpoint; for a custom domain check the DNS record',
  );
}

/** The certificate. */
export async function checkCertificate({ options: { endpoint } }: Target): Promise<Finding> {
  if (endpoint.protocol !== 'https:') return skipped('tls', 'no TLS on http');
  const result = await certificateOf(endpoint);
  if ('error' in result)
    return failure(
      'tls',
      `no TLS handshake (${result.error})`,
      'nothing answers TLS at this address and port',
      'check the port; a server without a certificate speaks http only',
    );
  const { certificate, problem } = result;
  const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / DAY);
  if (problem !== undefined)
    return failure(
      'tls',
      `the certificate is not trusted here (${problem})`,
      days < 0 ? `it expired on ${certificate.valid_to}` : 'it is self-signed, incomplete, or for another name',
      'browsers refuse it too: use a certificate of a public authority, or install your authority (NODE_EXTRA_CA_CERTS for this command)',
    );
  if (days < 14)
    return warning(
      'tls',
      `the certificate expires in ${days} days`,
      `it is valid until ${certificate.valid_to}`,
      'renew it; certificates of AWS Certificate Manager renew themselves while their DNS record stands',
    );
  return ok('tls', `trusted, valid for ${days} days`);
}

/** Whether anything answers, and by the protocol that the address names. */
export async function checkReachable(target: Target): Promise<Finding> {
  const { endpoint } = target.options;
  const answer = await target.post('decode', plainBody());
  if (answered(answer)) return ok('reachable', `answers in ${Math.round(answer.milliseconds)} ms`);
  if (endpoint.protocol === 'http:' && answer.error !== 'ECONNREFUSED' && !('error' in (await certificateOf(endpoint))))
    return failure(
      'reachable',
      `${endpoint.host} speaks https, and the endpoint says http`,
      'the server was started with a certificate, or a proxy in front of it has one',
      `use https://${endpoint.host}`,
    );
  return failure(
    'reachable',
    `no answer (${answer.error})`,
    answer.error === 'ECONNREFUSED' ? 'nothing listens at this address and port' : answer.message,
    'check that the server runs and that a firewall, proxy or VPN lets this machine through',
  );
}

/** The server's clock against this machine's. */
export async function checkClock(target: Target): Promise<Finding> {
  const before = Date.now();
  const answer = await target.post('decode', plainBody());
  if (!answered(answer) || answer.headers['date'] === undefined)
    return skipped('clock', 'the answer has no Date header');
  const middle = (before + Date.now()) / 2;
  // the header counts whole seconds, so half a second is its error
  const skew = Math.round((Date.parse(answer.headers['date']) + 500 - middle) / 1000);
  if (Math.abs(skew) <= 30) return ok('clock', 'within 30 s of this machine');
  return failure(
    'clock',
    `the server's clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} this machine's`,
    'one of the two clocks is wrong; tokens are then refused as expired or not yet valid',
    'synchronize the clock (on AWS it is this machine that is off)',
  );
}

// What only the network can say: where the endpoint is for a browser, and what a gateway in front answers by itself.

/** Headers by which API Gateway gives itself away. */
const GATEWAY_HEADERS = ['apigw-requestid', 'x-amz-apigw-id'] as const;

/** Whether browsers will ask people before a page of the internet calls the endpoint. */
export async function checkAddressSpace(
  { options: { endpoint, origin } }: Target,
  resolve: typeof resolveHost = resolveHost,
): Promise<Finding> {
  if (isLoopbackHostname(endpoint.hostname)) return skipped('address-space', 'the endpoint is on this machine');
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
