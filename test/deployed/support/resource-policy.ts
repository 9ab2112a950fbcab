/** A resource policy as API Gateway reads it, as far as our fronts write one. */
import { BlockList, isIPv4 } from 'node:net';

/** Where a request comes from. */
export interface CallerPlace {
  readonly sourceIp: string;
  /** The VPC endpoint that it came through; undefined for the internet. */
  readonly vpcEndpoint?: string;
}

export interface PolicyStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Whether a policy lets a caller in. What nothing allows is refused, and what something denies is, too. */
export function allows(statements: readonly PolicyStatement[], from: CallerPlace): boolean {
  const matching = statements.filter(({ Condition = {} }) =>
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, key, [values].flat(), from)),
    ),
  );
  return matching.some(({ Effect }) => Effect === 'Allow') && !matching.some(({ Effect }) => Effect === 'Deny');
}

/** @throws Error for a condition that our fronts were not expected to use */
function holds(operator: string, key: string, values: readonly string[], from: CallerPlace): boolean {
  switch (`${operator} ${key}`) {
    case 'IpAddress aws:SourceIp':
      return from.vpcEndpoint === undefined && values.some((range) => contains(range, from.sourceIp));
    case 'StringEquals aws:SourceVpce':
      return from.vpcEndpoint !== undefined && values.includes(from.vpcEndpoint);
    default:
      throw new Error(`the policy has ${operator} ${key}, which is not read here`);
  }
}

function contains(range: string, address: string): boolean {
  const [network = '', bits] = range.split('/');
  const family = isIPv4(network) ? 'ipv4' : 'ipv6';
  if (isIPv4(address) !== isIPv4(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  return list.check(address, family);
}
