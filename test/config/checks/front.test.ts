import { describe, expect, it } from '@jest/globals';
import { checkDeployment } from '../../../config/checks/deployment.ts';
import type { DeploymentConfig, FrontConfig, FrontReach } from '../../../config/environment.ts';
import dev from '../../../environments/dev.ts';
import privateApi from '../../support/environments/private.ts';
import rest, { WEB_ACL } from '../../support/environments/rest.ts';
import signIn from '../../support/environments/sign-in.ts';

function problemsOf(front: unknown, changes: Partial<DeploymentConfig> = {}): string[] {
  const deployment = { ...dev.deployment, front: front as FrontConfig, ...changes };
  return checkDeployment({ ...dev, deployment }).map(({ path, message }) => `${path}: ${message}`);
}

const REST = { type: 'rest-api', reach: 'internet', webAcl: null, tracing: false } as const;
const reaching = (reach: FrontReach) => problemsOf({ ...REST, reach });
const addresses = (...list: string[]) => reaching({ addresses: list });

describe('a front', () => {
  it('may be any of the kinds there are', () => {
    for (const front of ['http-api', REST, { ...REST, tracing: true }]) expect(problemsOf(front)).toEqual([]);
    expect(addresses('203.0.113.7', '198.51.100.0/24', '2001:db8::/32')).toEqual([]);
    expect(reaching({ vpcEndpoints: ['vpce-0123456789abcdef0', 'vpce-01234567'] })).toEqual([]);
    for (const environment of [rest, privateApi]) expect(checkDeployment(environment)).toEqual([]);
  });

  it.each<[unknown, string]>([
    ['rest-api', 'deployment.front'],
    [{ ...REST, type: 'alb' }, 'deployment.front.type'],
    [{ type: 'rest-api', reach: 'internet', webAcl: null }, 'deployment.front.tracing'],
    [{ type: 'rest-api', reach: 'internet', tracing: false }, 'deployment.front.webAcl'],
    [{ type: 'rest-api', webAcl: null, tracing: false }, 'deployment.front.reach'],
    [{ ...REST, reach: 'office' }, 'deployment.front.reach'],
    [{ ...REST, reach: { addresses: '203.0.113.7' } }, 'deployment.front.reach.addresses'],
    [{ ...REST, cache: true }, 'deployment.front.cache'],
  ])('is not of the form %j', (front, path) => {
    expect(problemsOf(front)[0]).toMatch(new RegExp(`^${path.replaceAll('.', '\\.')}: `));
  });
});

describe('the reach of a front', () => {
  it('is not empty', () => {
    expect(addresses()).toEqual([
      expect.stringContaining("addresses: an empty list lets nobody in: name one, or write 'internet'"),
    ]);
    expect(reaching({ vpcEndpoints: [] })).toEqual([expect.stringContaining('vpcEndpoints: an empty list')]);
  });

  it.each(['0.0.0.0/0', '::/0', '203.0.113.1/0'])('is not everybody under another name: %s', (everybody) => {
    expect(addresses(everybody)).toEqual([expect.stringContaining("this is everybody: write reach: 'internet'")]);
  });

  it.each([
    '10.1.2.3',
    '172.16.0.0/12',
    '192.168.1.0/24',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.1.1',
    'fd00::/8',
    'fe80::1',
  ])('is not a private address, from which nobody comes over the internet: %s', (address) => {
    expect(addresses(address)).toEqual([expect.stringContaining('write { vpcEndpoints }')]);
  });

  it.each([
    '203.0.113',
    '203.0.113.0/33',
    '2001:db8::/129',
    '203.0.113.0/',
    '203.0.113.0/8/8',
    'office.example.com',
    '',
  ])('is written as addresses: %j', (text) => {
    expect(addresses(text)).toHaveLength(1);
  });

  it.each(['vpc-0123456789abcdef0', 'vpce-XYZ', 'vpce-0123456789abcdef0 '])(
    'is written as ids of endpoints: %j',
    (id) => {
      expect(reaching({ vpcEndpoints: [id] })).toEqual([
        expect.stringContaining('this is not an id of a VPC endpoint'),
      ]);
    },
  );

  it('fits into a resource policy', () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => `203.0.${at >> 8}.${at & 255}/32`);
    expect(addresses(...many(400))).toEqual([]);
    expect(addresses(...many(600))).toEqual([expect.stringContaining('and API Gateway takes 8192')]);
  });
});

describe('a web ACL', () => {
  const withAcl = (arn: string, region = 'eu-central-1') =>
    problemsOf({ ...REST, webAcl: { arn } }, { target: { account: '111122223333', region } });

  it('is regional, and in the Region of the stack', () => {
    expect(withAcl(WEB_ACL)).toEqual([]);
    expect(withAcl(WEB_ACL, 'eu-west-1')).toEqual([expect.stringContaining('takes one of its own Region, eu-west-1')]);
    const global = 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/codec/11111111';
    expect(withAcl(global)).toEqual([expect.stringContaining('its scope is CLOUDFRONT')]);
    expect(withAcl('arn:aws:waf::111122223333:webacl/1')).toEqual([expect.stringContaining('expected an ARN')]);
  });
});

describe('a domain', () => {
  const { domain } = privateApi.deployment;

  it('is there where people sign in, since a stage would stand in every path', () => {
    const message = 'deployment.domain: a sign-in needs an address of its own';
    const deployment = { ...signIn.deployment, front: REST, domain: null };
    const problems = checkDeployment({ ...signIn, deployment }).map((it) => `${it.path}: ${it.message}`);
    expect(problems).toEqual([expect.stringContaining(message)]);
  });

  it('of a private API is in a zone of the team’s own, beside the default endpoint', () => {
    const front = privateApi.deployment.front;
    const zone = { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' };
    if (domain === null) throw new Error('the environment has no domain');
    expect(problemsOf(front, { domain: { ...domain, hostedZone: zone } })).toEqual([
      expect.stringContaining('deployment.domain.hostedZone: a private domain is resolved inside your network'),
    ]);
    expect(problemsOf(front, { domain: { ...domain, keepDefaultEndpoint: false } })).toEqual([
      expect.stringContaining('deployment.domain.keepDefaultEndpoint: a private API keeps its default endpoint'),
    ]);
  });
});
