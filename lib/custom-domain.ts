/** A domain name of the team's own in front of the HTTP API. */

import { ApiMapping, DomainName, type HttpApi, type HttpStage, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { DomainConfig } from '../config/environment.ts';

export interface CustomDomainProps {
  readonly domain: DomainConfig;
  readonly api: HttpApi;
  readonly stage: HttpStage;
}

export class CustomDomain extends Construct {
  /** `https://` and the name, without trailing slash. */
  readonly endpoint: string;
  /** What a CNAME of the name has to point at, where the stack does not make the record. */
  readonly target: string;

  constructor(scope: Construct, id: string, { domain, api, stage }: CustomDomainProps) {
    super(scope, id);
    const name = new DomainName(this, 'Name', {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    new ApiMapping(this, 'Mapping', { api, domainName: name, stage });
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
    new ARecord(this, 'Ipv4', { zone, recordName: domain.name, target });
    new AaaaRecord(this, 'Ipv6', { zone, recordName: domain.name, target });
  }
}
