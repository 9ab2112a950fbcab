/** The fronts for networks that are not open, and callers whom they let in. */
import type { FrontConfig } from '../../config/environment.ts';
import type { CallerPlace } from './support/resource-policy.ts';

export const OFFICE: CallerPlace = { sourceIp: '203.0.113.9' };
export const INTERNET: CallerPlace = { sourceIp: '198.51.100.7' };
export const ENDPOINT = 'vpce-0123456789abcdef0';
export const INSIDE: CallerPlace = { sourceIp: '10.1.2.3', vpcEndpoint: ENDPOINT };
export const OTHER_NETWORK: CallerPlace = { sourceIp: '10.1.2.3', vpcEndpoint: 'vpce-0fedcba9876543210' };

/** A front, who comes through it, and who does not. */
export interface FrontUnderTest {
  readonly name: string;
  readonly front: FrontConfig;
  readonly from: CallerPlace;
  readonly strangers: readonly CallerPlace[];
}

const rest = { type: 'rest-api', webAcl: null, tracing: false } as const;

export const ADDRESSES: FrontUnderTest = {
  name: 'a REST API for some addresses',
  front: { ...rest, reach: { addresses: ['203.0.113.0/24', '2001:db8::/32'] } },
  from: OFFICE,
  strangers: [INTERNET, OTHER_NETWORK],
};

export const PRIVATE: FrontUnderTest = {
  name: 'a private REST API',
  front: { ...rest, reach: { vpcEndpoints: [ENDPOINT] } },
  from: INSIDE,
  strangers: [INTERNET, OFFICE, OTHER_NETWORK],
};

export const REST_FRONTS: readonly FrontUnderTest[] = [ADDRESSES, PRIVATE];
