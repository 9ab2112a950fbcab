/** A domain name of the team's own in front of an API that the internet reaches, whatever its kind. */
import { CfnApiMapping, DomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { DomainConfig } from '../config/environment.ts';
import type { Front } from './fronts/front.ts';

export interface CustomDomainProps {
  readonly domain: DomainConfig;
  readonly front: Pick<Front, 'apiId' | 'stageName'>;
}

export class CustomDomain extends Construct {
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
