/** The front that an environment asks for, and its domain. */
import type { Construct } from 'constructs';
import { type DomainConfig, type FrontConfig, isRestApi } from '../../config/environment.ts';
import { CustomDomain } from '../custom-domain.ts';
import type { Front, FrontProps } from './front.ts';
import { HttpFront } from './http-api.ts';
import { PrivateDomain } from './private-domain.ts';
import { RestFront } from './rest-api.ts';

/** Makes the construct `Front` of the kind that the environment asks for. */
export function makeFront(scope: Construct, config: FrontConfig | undefined, props: FrontProps): Front {
  return isRestApi(config)
    ? new RestFront(scope, 'Front', { ...props, front: config })
    : new HttpFront(scope, 'Front', props);
}

/** An address of the team's own. */
export interface FrontDomain {
  /** `https://` and the name, without trailing slash. */
  readonly endpoint: string;
  /** What a CNAME of the name has to point at; undefined where a private zone does. */
  readonly target?: string;
}

/** Makes the construct `Domain`. */
export function makeDomain(
  scope: Construct,
  config: FrontConfig | undefined,
  { domain, front }: { readonly domain: DomainConfig; readonly front: Front },
): FrontDomain {
  const reach = isRestApi(config) ? config.reach : 'internet';
  return typeof reach === 'object' && 'vpcEndpoints' in reach
    ? new PrivateDomain(scope, 'Domain', { domain, front, vpcEndpoints: reach.vpcEndpoints })
    : new CustomDomain(scope, 'Domain', { domain, front });
}
