import { describe, expect, it } from '@jest/globals';
import type { EnvironmentConfig, FrontConfig } from '../../config/environment.ts';
import full from '../support/environments/full.ts';
import privateApi from '../support/environments/private.ts';
import rest, { WEB_ACL } from '../support/environments/rest.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

const withFront = (environment: EnvironmentConfig, front: FrontConfig): EnvironmentConfig => ({
  ...environment,
  deployment: { ...environment.deployment, front },
});
const OPEN = { type: 'rest-api', reach: 'internet', webAcl: null, tracing: false } as const;

const templates = {
  'an HTTP API': new SynthesizedTemplate(full, 'full'),
  'an open REST API': new SynthesizedTemplate(withFront(full, OPEN), 'full'),
  'a REST API for some addresses': new SynthesizedTemplate(rest, 'full'),
  'a private REST API': new SynthesizedTemplate(privateApi, 'full'),
};
const { 'an HTTP API': http, ...restApis } = templates;
const named = restApis['a REST API for some addresses'];
const closed = restApis['a private REST API'];

describe('one environment with each front', () => {
  /** What would be lost, or would cut workers and people off, if it were made again. */
  const LASTING = [
    'AWS::KMS::Key',
    'AWS::KMS::Alias',
    'AWS::SecretsManager::Secret',
    'AWS::Logs::LogGroup',
    'AWS::Lambda::Function',
    'AWS::Lambda::Alias',
    'AWS::IAM::Role',
    'AWS::IAM::ManagedPolicy',
    'AWS::SNS::Topic',
    'AWS::SQS::Queue',
    'AWS::CloudWatch::Alarm',
    'AWS::CloudWatch::Dashboard',
  ];

  it.each(Object.entries(restApis))('keeps its keys, secrets, logs, function and alarms: %s', (_, template) => {
    for (const type of LASTING) {
      expect([type, Object.keys(template.all(type)).sort()]).toEqual([type, Object.keys(http.all(type)).sort()]);
    }
    expect(template.all('AWS::ApiGatewayV2::Api')).toEqual({});
  });

  it('keeps its domain, and the mapping that turns to another API without interruption, where the internet reaches it', () => {
    for (const type of ['AWS::ApiGatewayV2::DomainName', 'AWS::ApiGatewayV2::ApiMapping', 'AWS::Route53::RecordSet']) {
      for (const template of [restApis['an open REST API'], named])
        expect([type, Object.keys(template.all(type))]).toEqual([type, Object.keys(http.all(type))]);
      // AWS has another type of resource for a private domain, so it cannot be the same one.
      expect([type, Object.keys(closed.all(type))]).toEqual([type, []]);
    }
    expect(named.one('AWS::ApiGatewayV2::ApiMapping').Properties.ApiId).toEqual({
      Ref: named.idOf('AWS::ApiGateway::RestApi'),
    });
  });
});

describe('a REST API', () => {
  it.each(Object.entries(restApis))(
    'has the routes of the protocol and of health, all of them the function’s: %s',
    (_, template) => {
      const methods = Object.values(template.all('AWS::ApiGateway::Method')).map(({ Properties }) => Properties);
      const paths = Object.fromEntries(
        Object.entries(template.all('AWS::ApiGateway::Resource')).map(([id, { Properties }]) => [
          id,
          Properties.PathPart,
        ]),
      );
      expect(methods.map(({ HttpMethod, ResourceId }) => `${HttpMethod} ${paths[ResourceId.Ref]}`).sort()).toEqual([
        'GET healthz',
        'GET readyz',
        'OPTIONS {proxy+}',
        'POST {proxy+}',
      ]);
      for (const { Integration, AuthorizationType } of methods)
        expect([Integration.Type, AuthorizationType]).toEqual(['AWS_PROXY', 'NONE']);
      const live = JSON.stringify({ Ref: template.idOf('AWS::Lambda::Alias', 'CodecLive') });
      const callers = Object.values(template.all('AWS::Lambda::Permission')).filter(
        ({ Properties }) => JSON.stringify(Properties.FunctionName) === live,
      );
      for (const { Properties } of callers) {
        expect(Properties.Principal).toBe('apigateway.amazonaws.com');
        expect(JSON.stringify(Properties.SourceArn)).toContain(template.idOf('AWS::ApiGateway::RestApi'));
      }
    },
  );

  it('lets in whom the environment names', () => {
    const conditionOf = (template: SynthesizedTemplate) => {
      const { Statement } = template.one('AWS::ApiGateway::RestApi').Properties.Policy;
      expect(Statement).toHaveLength(1);
      expect(Statement[0]).toMatchObject({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'execute-api:Invoke' });
      return Statement[0].Condition;
    };
    expect(conditionOf(restApis['an open REST API'])).toBeUndefined();
    expect(conditionOf(named)).toEqual({ IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '2001:db8::/32'] } });
    const endpoints = ['vpce-0123456789abcdef0', 'vpce-0fedcba9876543210'];
    expect(conditionOf(closed)).toEqual({ StringEquals: { 'aws:SourceVpce': endpoints } });
    expect(closed.one('AWS::ApiGateway::RestApi').Properties.EndpointConfiguration).toEqual({
      Types: ['PRIVATE'],
      VpcEndpointIds: endpoints,
    });
    expect(named.one('AWS::ApiGateway::RestApi').Properties.EndpointConfiguration).toEqual({ Types: ['REGIONAL'] });
  });

  it('is deployed again when somebody else is let in: without that a new policy takes no effect', () => {
    const other = { ...OPEN, reach: { addresses: ['203.0.113.0/25'] } };
    const ids = [named, new SynthesizedTemplate(withFront(rest, other), 'full')].map((it) =>
      it.idOf('AWS::ApiGateway::Deployment'),
    );
    expect(ids[0]).not.toBe(ids[1]);
    expect(new SynthesizedTemplate(rest, 'full').idOf('AWS::ApiGateway::Deployment')).toBe(ids[0]);
  });

  it('answers by itself with CORS for the first origin alone, and 404 where AWS would speak of a token', () => {
    const responses = Object.values(named.all('AWS::ApiGateway::GatewayResponse')).map(({ Properties }) => Properties);
    const types = responses.map(({ ResponseType, StatusCode }) => [ResponseType, StatusCode]);
    expect(types.sort()).toEqual([
      ['DEFAULT_4XX', undefined],
      ['DEFAULT_5XX', undefined],
      ['MISSING_AUTHENTICATION_TOKEN', '404'],
    ]);
    for (const { ResponseParameters } of responses) {
      expect(ResponseParameters['gatewayresponse.header.Access-Control-Allow-Origin']).toBe(
        "'https://cloud.temporal.io'",
      );
    }
  });

  it('keeps no plaintext, and logs neither headers nor bodies', () => {
    for (const template of Object.values(restApis)) {
      const { MethodSettings, AccessLogSetting, StageName } = template.one('AWS::ApiGateway::Stage').Properties;
      expect(MethodSettings).toHaveLength(1);
      expect(MethodSettings[0]).toMatchObject({
        ...{ CachingEnabled: false, DataTraceEnabled: false, LoggingLevel: 'OFF', MetricsEnabled: false },
        ...{ ThrottlingRateLimit: 200, ThrottlingBurstLimit: 400 },
      });
      expect(StageName).toBe('live');
      const line = JSON.parse(AccessLogSetting.Format) as Record<string, string>;
      expect(line['requestId']).toBe('$context.extendedRequestId');
      expect(Object.values(line).join()).not.toMatch(/header|query|body|authorizer/i);
      expect(template.all('AWS::ApiGateway::Account')).toEqual({});
    }
  });

  it('has the web ACL and the tracing that were asked for, and no other', () => {
    expect(named.one('AWS::WAFv2::WebACLAssociation').Properties.WebACLArn).toBe(WEB_ACL);
    expect(named.one('AWS::ApiGateway::Stage').Properties.TracingEnabled).toBe(true);
    expect(named.one('AWS::Lambda::Function', 'CodecFunction').Properties.TracingConfig).toEqual({ Mode: 'Active' });
    for (const template of [http, closed]) {
      expect(template.all('AWS::WAFv2::WebACLAssociation')).toEqual({});
      expect(template.one('AWS::Lambda::Function', 'CodecFunction').Properties.TracingConfig).toBeUndefined();
    }
  });

  it('has an endpoint to paste without a slash at its end, and no output of the CDK’s beside it', () => {
    const endpointOf = (environment: EnvironmentConfig) => {
      const template = new SynthesizedTemplate(
        { ...environment, deployment: { ...environment.deployment, domain: null } },
        'full',
      );
      const outputs = template.template.findOutputs('*');
      expect(Object.keys(outputs).filter((id) => /Endpoint/.test(id))).toEqual(['CodecEndpoint']);
      return JSON.stringify(outputs['CodecEndpoint']?.['Value']);
    };
    const rest = { Ref: named.idOf('AWS::ApiGateway::RestApi') };
    expect(endpointOf(withFront(full, OPEN))).toContain(`["https://",${JSON.stringify(rest)},".execute-api.`);
    expect(endpointOf(privateApi)).toContain(
      `["https://",${JSON.stringify(rest)},"-vpce-0123456789abcdef0.execute-api.`,
    );
    expect(endpointOf(privateApi)).toMatch(/\/live"\]\]\}$/);
  });

  it('has a private domain that each of its endpoints may use, and nobody else', () => {
    const domain = closed.one('AWS::ApiGateway::DomainNameV2').Properties;
    expect(domain).toMatchObject({ DomainName: 'codec.example.com', EndpointConfiguration: { Types: ['PRIVATE'] } });
    expect(JSON.stringify(domain.Policy)).toContain(
      '"aws:SourceVpce":["vpce-0123456789abcdef0","vpce-0fedcba9876543210"]',
    );
    expect(closed.one('AWS::ApiGateway::BasePathMappingV2').Properties).toMatchObject({
      RestApiId: { Ref: closed.idOf('AWS::ApiGateway::RestApi') },
      Stage: 'live',
    });
    const allowed = Object.values(closed.all('AWS::ApiGateway::DomainNameAccessAssociation'));
    expect(allowed.map(({ Properties }) => Properties.AccessAssociationSource)).toHaveLength(2);
    expect(closed.one('AWS::ApiGateway::RestApi').Properties.DisableExecuteApiEndpoint).not.toBe(true);
    expect(named.one('AWS::ApiGateway::RestApi').Properties.DisableExecuteApiEndpoint).toBe(true);
  });
});
