/** What is wrong with the front of a deployment: what AWS would refuse, and what would not be what it seems. */
import { isIP } from 'node:net';
import { parseArnOf } from '../../codec/keys/arn.ts';
import { isPrivateAddress } from '../addresses.ts';
import { type EnvironmentConfig, isPrivate, isRestApi, type RestApiConfig } from '../environment.ts';
import { PLACEHOLDER, type Problem } from '../problem.ts';

const PATH = 'deployment.front';
const VPC_ENDPOINT = /^vpce-[0-9a-f]{8,17}$/;
const WEB_ACL = /^(regional|global)\/webacl\/[^/]+\/[^/]+$/;

/** Bytes of a resource policy that API Gateway takes. */
const MOST_POLICY_BYTES = 8192;
/** What the policy's statement takes around its list: version, effect, principal, action, resource, condition. */
const POLICY_FRAME_BYTES = 400;

/** All problems of the front; relies on a form that is right. */
export function checkFront({ deployment, identity }: Pick<EnvironmentConfig, 'deployment' | 'identity'>): Problem[] {
  const { front, domain, target } = deployment;
  if (!isRestApi(front)) return [];
  const problems = [...checkReach(front), ...checkWebAcl(front, target?.region)];
  if (identity?.signIn && domain === null) {
    const message =
      'a sign-in needs an address of its own, without the stage that a REST API puts before every path: set a domain.';
    problems.push({ path: 'deployment.domain', message });
  }
  if (isPrivate(front) && domain !== null) {
    if (domain.hostedZone !== null) {
      const message =
        'a private domain is resolved inside your network: write null, and point the name at the VPC endpoint in a private zone of yours.';
      problems.push({ path: 'deployment.domain.hostedZone', message });
    }
    if (!domain.keepDefaultEndpoint) {
      const message = 'a private API keeps its default endpoint, which only the VPC endpoints reach: write true.';
      problems.push({ path: 'deployment.domain.keepDefaultEndpoint', message });
    }
  }
  return problems;
}

function checkReach({ reach }: RestApiConfig): Problem[] {
  if (reach === 'internet') return [];
  const [field, list] =
    'addresses' in reach ? (['addresses', reach.addresses] as const) : (['vpcEndpoints', reach.vpcEndpoints] as const);
  const path = `${PATH}.reach.${field}`;
  if (list.length === 0) return [{ path, message: "an empty list lets nobody in: name one, or write 'internet'." }];
  const problems = list.flatMap((item, index): Problem[] => {
    if (PLACEHOLDER.test(item)) return [];
    const message = field === 'addresses' ? addressProblem(item) : endpointProblem(item);
    return message === undefined ? [] : [{ path: `${path}[${index}]`, message }];
  });
  const bytes = POLICY_FRAME_BYTES + JSON.stringify(list).length;
  if (bytes > MOST_POLICY_BYTES) {
    const message = `the resource policy would have about ${bytes} characters, and API Gateway takes ${MOST_POLICY_BYTES}: join ranges, or use a web ACL with an IP set.`;
    problems.push({ path, message });
  }
  return problems;
}

function addressProblem(item: string): string | undefined {
  const [address = '', bits, ...more] = item.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (version === 0 || !isRange || more.length > 0)
    return 'this is not an address or a range such as 203.0.113.0/24 or 2001:db8::/32.';
  if (bits !== undefined && Number(bits) === 0) return "this is everybody: write reach: 'internet'.";
  if (isPrivateAddress(address))
    return 'nobody comes from a private address over the internet: write { vpcEndpoints } for a private network, or the public address of its gateway.';
  return undefined;
}

function endpointProblem(item: string): string | undefined {
  return VPC_ENDPOINT.test(item) ? undefined : 'this is not an id of a VPC endpoint, such as vpce-0123456789abcdef0.';
}

function checkWebAcl({ webAcl }: RestApiConfig, region: string | undefined): Problem[] {
  if (webAcl === null || PLACEHOLDER.test(webAcl.arn)) return [];
  const path = `${PATH}.webAcl.arn`;
  const { region: itsRegion, resource = '' } = parseArnOf('wafv2', webAcl.arn) ?? {};
  const scope = WEB_ACL.exec(resource)?.[1];
  if (!itsRegion || scope === undefined)
    return [{ path, message: 'expected an ARN such as arn:aws:wafv2:…:…:regional/webacl/name/id.' }];
  if (scope === 'global')
    return [{ path, message: 'its scope is CLOUDFRONT: make one of scope REGIONAL, in the Region of the stack.' }];
  if (region === undefined || PLACEHOLDER.test(region) || itsRegion === region) return [];
  return [{ path, message: `the web ACL is in ${itsRegion}, and the gateway takes one of its own Region, ${region}.` }];
}
