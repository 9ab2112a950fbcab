/**
 * A domain name of the team's own in front of a private API. AWS resolves it for nobody: the name
 * points at the VPC endpoint in a private zone of the team's network.
 */
import { CfnBasePathMappingV2, CfnDomainNameAccessAssociation, CfnDomainNameV2 } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import type { DomainConfig } from '../../config/environment.ts';
import type { Front } from './front.ts';

export interface PrivateDomainProps {
  readonly domain: DomainConfig;
  readonly front: Pick<Front, 'apiId' | 'stageName'>;
  readonly vpcEndpoints: readonly string[];
}

export class PrivateDomain extends Construct {
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
