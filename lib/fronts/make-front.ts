/** The front that an environment asks for, and its domain. */

import { CfnBasePathMappingV2, CfnDomainNameAccessAssociation, CfnDomainNameV2 } from 'aws-cdk-lib/aws-apigateway';
import { CfnApiMapping, DomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { type DomainConfig, type FrontConfig, isRestApi } from '../../config/environment.ts';
import type { Front, FrontProps } from './front.ts';
import { HttpFront } from './http-api.ts';
import { RestFront } from './rest-api.ts';

// A domain name of the team's own in front of an API that the internet reaches, whatever its kind.

export interface CustomDomainProps {
  readonly domain: DomainConfig;
  readonly front: Pick<Front, 'apiId' | 'stageName'>;
}

class CustomDomain extends Construct {
  /** `https://` and the name, without trailing slash. */
  readonly endpoint: string;
  /** What a CNAME of the name has to point at, where the stack does not make the record. */
  readonly target: string;

  constructor(scope: Construct, id: string, { domain, front }: CustomDomainProps) {
    super(scope, id);
    const name = new DomainName(this, 'Name', {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    // Of another API by changing `apiId`, which CloudFormation does without interruption.
    new CfnApiMapping(new Construct(this, 'Mapping'), 'Resource', {
      apiId: front.apiId,
      domainName: name.name,
      stage: front.stageName,
    });
    this.endpoint = `https://${domain.name}`;
    this.target = name.regionalDomainName;
    if (domain.hostedZone === null) return;

    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: domain.hostedZone.id,
      zoneName: domain.hostedZone.name,
    });
    const target = RecordTarget.fromAlias(
      new ApiGatewayv2DomainProperties(name.regionalDomainName, name.regionalHostedZoneId),
    );
    // The API has IPv4 addresses alone, so there is no AAAA record to make.
    new ARecord(this, 'Ipv4', { zone, recordName: domain.name, target });
  }
}

// A domain name of the team's own in front of a private API. AWS resolves it for nobody: the name
// points at the VPC endpoint in a private zone of the team's network.

export interface PrivateDomainProps {
  readonly domain: DomainConfig;
  readonly front: Pick<Front, 'apiId' | 'stageName'>;
  readonly vpcEndpoints: readonly string[];
}

class PrivateDomain extends Construct {
  /** `https://` and the name, without trailing slash. */
  readonly endpoint: string;

  constructor(scope: Construct, id: string, { domain, front, vpcEndpoints }: PrivateDomainProps) {
    super(scope, id);
    const name = new CfnDomainNameV2(this, 'PrivateName', {
      domainName: domain.name,
      certificateArn: domain.certificateArn,
      endpointConfiguration: { types: ['PRIVATE'] },
      securityPolicy: 'TLS_1_2',
      policy: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: '*',
            Action: 'execute-api:Invoke',
            Resource: 'execute-api:/*',
            Condition: { StringEquals: { 'aws:SourceVpce': [...vpcEndpoints] } },
          },
        ],
      },
    });
    new CfnBasePathMappingV2(this, 'PrivateMapping', {
      domainNameArn: name.attrDomainNameArn,
      restApiId: front.apiId,
      stage: front.stageName,
    });
    for (const endpoint of vpcEndpoints) {
      new CfnDomainNameAccessAssociation(this, `Access-${endpoint}`, {
        accessAssociationSource: endpoint,
        accessAssociationSourceType: 'VPCE',
        domainNameArn: name.attrDomainNameArn,
      });
    }
    this.endpoint = `https://${domain.name}`;
  }
}

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
