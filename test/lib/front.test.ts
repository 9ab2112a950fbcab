import { describe, expect, it } from '@jest/globals';
import dev from '../../environments/dev.ts';
import full, { IMPORTED_SECRET } from '../support/environments/full.ts';
import prod from '../support/environments/prod.ts';
import signIn from '../support/environments/sign-in.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

const templates = {
  dev: new SynthesizedTemplate(dev),
  prod: new SynthesizedTemplate(prod, 'prod'),
  full: new SynthesizedTemplate(full, 'full'),
};

describe('the HTTP API', () => {
  it('owns CORS, for exactly the origins and headers that the Web UI needs', () => {
    expect(templates.prod.one('AWS::ApiGatewayV2::Api').Properties.CorsConfiguration).toEqual({
      AllowOrigins: ['https://cloud.temporal.io'],
      AllowMethods: ['POST'],
      AllowHeaders: ['content-type', 'x-namespace', 'authorization', 'authorization-extras'],
      MaxAge: 7200,
    });
  });

  it('allows credentials only where they are asked for', () => {
    expect(templates.full.one('AWS::ApiGatewayV2::Api').Properties.CorsConfiguration).toMatchObject({
      AllowOrigins: ['https://cloud.temporal.io', 'https://temporal.example.com'],
      AllowCredentials: true,
    });
  });

  it('has the routes of the protocol and of health, all of them the function’s', () => {
    for (const template of Object.values(templates)) {
      const routes = Object.values(template.all('AWS::ApiGatewayV2::Route'));
      expect(routes.map(({ Properties }) => Properties.RouteKey).sort()).toEqual([
        'GET /healthz',
        'GET /readyz',
        'POST /{proxy+}',
      ]);
      expect(template.one('AWS::ApiGatewayV2::Integration').Properties).toMatchObject({
        IntegrationType: 'AWS_PROXY',
        PayloadFormatVersion: '2.0',
        IntegrationUri: { Ref: template.idOf('AWS::Lambda::Alias', 'CodecLive') },
      });
    }
  });

  it('has the pages of the sign-in where the environment has one, and what it needs: a key and a client secret', () => {
    const template = new SynthesizedTemplate(signIn, 'sign-in');
    const routes = Object.values(template.all('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties.RouteKey);
    expect(routes.sort()).toEqual([
      'GET /',
      'GET /callback',
      'GET /healthz',
      'GET /login',
      'GET /logout',
      'GET /readyz',
      'POST /{proxy+}',
    ]);
    expect(template.one('AWS::ApiGatewayV2::Api').Properties.CorsConfiguration).toMatchObject({
      AllowCredentials: true,
      AllowMethods: ['POST'],
    });
    const sessionKeys = template.one('AWS::SecretsManager::Secret', 'SecretsSessionKeys');
    expect(sessionKeys.Properties.GenerateSecretString).toEqual({
      SecretStringTemplate: '{}',
      GenerateStringKey: 'key',
      PasswordLength: 64,
      ExcludePunctuation: true,
    });
    const { Variables } = template.one('AWS::Lambda::Function', 'Codec').Properties.Environment;
    expect(Variables).toMatchObject({
      SESSION_KEYS_SECRET_ARN: { Ref: template.idOf('AWS::SecretsManager::Secret', 'SecretsSessionKeys') },
      CLIENT_SECRET_SECRET_ARN: { Ref: template.idOf('AWS::SecretsManager::Secret', 'SecretsClientSecret') },
    });
    expect(template.statementsOf('CodecRole')['Secrets']).toMatchObject({
      Action: 'secretsmanager:GetSecretValue',
      Resource: [Variables.SESSION_KEYS_SECRET_ARN, Variables.CLIENT_SECRET_SECRET_ARN],
    });
  });

  it('throttles as the environment says', () => {
    expect(templates.full.one('AWS::ApiGatewayV2::Stage').Properties.DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 200,
      ThrottlingBurstLimit: 400,
    });
  });

  it('logs accesses without headers, query or body', () => {
    for (const template of Object.values(templates)) {
      const { DestinationArn, Format } = template.one('AWS::ApiGatewayV2::Stage').Properties.AccessLogSettings;
      expect(DestinationArn).toEqual(template.arnOf('AWS::Logs::LogGroup', 'FrontAccessLogs'));
      const fields = JSON.parse(Format) as Record<string, string>;
      expect(Object.values(fields).sort()).toEqual([
        '$context.error.responseType',
        '$context.httpMethod',
        '$context.identity.sourceIp',
        '$context.integrationLatency',
        '$context.integrationStatus',
        '$context.path',
        '$context.protocol',
        '$context.requestId',
        '$context.requestTime',
        '$context.responseLatency',
        '$context.responseLength',
        '$context.routeKey',
        '$context.status',
      ]);
    }
  });

  it('reaches the function on its own routes, and nothing else does', () => {
    for (const template of Object.values(templates)) {
      const live = JSON.stringify({ Ref: template.idOf('AWS::Lambda::Alias', 'CodecLive') });
      const permissions = Object.values(template.all('AWS::Lambda::Permission')).filter(
        ({ Properties }) => JSON.stringify(Properties.FunctionName) === live,
      );
      expect(permissions).toHaveLength(3);
      for (const { Properties } of permissions) {
        expect(Properties.Principal).toBe('apigateway.amazonaws.com');
        expect(JSON.stringify(Properties.SourceArn)).toContain(template.idOf('AWS::ApiGatewayV2::Api'));
      }
      expect(template.all('AWS::Lambda::Url')).toEqual({});
    }
  });

  it('answers under the team’s own domain alone, where there is one', () => {
    const { full: template } = templates;
    expect(template.one('AWS::ApiGatewayV2::Api').Properties.DisableExecuteApiEndpoint).toBe(true);
    const [configuration] = template.one('AWS::ApiGatewayV2::DomainName').Properties.DomainNameConfigurations;
    expect(configuration).toMatchObject({ EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' });
    const records = Object.values(template.all('AWS::Route53::RecordSet'));
    expect(records.map(({ Properties }) => Properties.Type)).toEqual(['A']);
    expect(templates.dev.all('AWS::ApiGatewayV2::DomainName')).toEqual({});
    expect(templates.dev.one('AWS::ApiGatewayV2::Api').Properties.DisableExecuteApiEndpoint).toBe(false);
  });
});

describe('the function', () => {
  it('runs on Node 24 on ARM with the memory and time that were measured', () => {
    for (const template of Object.values(templates)) {
      expect(template.one('AWS::Lambda::Function', 'CodecFunction').Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        MemorySize: 1024,
        Timeout: 10,
        Handler: 'index.handler',
      });
    }
  });

  it('learns the ARNs of what the stack made, and nothing else, from its environment', () => {
    const { Variables } = templates.full.one('AWS::Lambda::Function', 'CodecFunction').Properties.Environment;
    expect(Variables).toEqual({
      CREATED_KEY_ARN: templates.full.arnOf('AWS::KMS::Key', 'Encryption'),
      SERVICE_TOKENS_SECRET_ARN: { Ref: templates.full.idOf('AWS::SecretsManager::Secret', 'SecretsServiceTokens') },
      CLOUD_API_KEY_SECRET_ARN: { Ref: templates.full.idOf('AWS::SecretsManager::Secret', 'SecretsCloudApiKey') },
      STATIC_KEYS_SECRET_ARN: IMPORTED_SECRET,
      LOG_LEVEL: 'WARN',
    });
  });

  it('keeps audit lines and metrics whatever the log level, since Lambda’s own filter is open', () => {
    for (const template of Object.values(templates)) {
      expect(template.one('AWS::Lambda::Function', 'CodecFunction').Properties.LoggingConfig).toMatchObject({
        LogFormat: 'JSON',
        ApplicationLogLevel: 'TRACE',
        LogGroup: { Ref: template.idOf('AWS::Logs::LogGroup', 'CodecLogs') },
      });
    }
  });

  it('is called through an alias whose older versions stay', () => {
    expect(templates.full.one('AWS::Lambda::Alias').Properties).toMatchObject({
      Name: 'live',
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 5 },
    });
    expect(templates.full.one('AWS::Lambda::Function', 'Codec').Properties.ReservedConcurrentExecutions).toBe(100);
    expect(templates.dev.one('AWS::Lambda::Alias').Properties.ProvisionedConcurrencyConfig).toBeUndefined();
    expect(templates.dev.one('AWS::Lambda::Version').DeletionPolicy).toBe('Retain');
  });
});

describe('the outputs', () => {
  const outputsOf = (template: SynthesizedTemplate) =>
    Object.fromEntries(Object.entries(template.template.findOutputs('*')).map(([id, { Value }]) => [id, Value]));

  it('have the endpoint to paste, without trailing slash', () => {
    expect(outputsOf(templates.dev)['CodecEndpoint']).toEqual({
      'Fn::GetAtt': [templates.dev.idOf('AWS::ApiGatewayV2::Api'), 'ApiEndpoint'],
    });
    expect(outputsOf(templates.full)['CodecEndpoint']).toBe('https://codec.example.com');
  });

  it('have what workers need, and where to paste the endpoint with which message', () => {
    const outputs = outputsOf(templates.full);
    expect(outputs).toMatchObject({
      KeyArn: templates.full.arnOf('AWS::KMS::Key', 'Encryption'),
      WorkerPolicyArn: { Ref: templates.full.idOf('AWS::IAM::ManagedPolicy', 'WorkersPolicy') },
      WhereToPaste: expect.stringContaining('Namespaces > your Namespace > Codec Server > Edit'),
      CustomErrorMessage: expect.stringContaining('Link: https://wiki.example.com/codec-server'),
      AlarmTopicArn: { Ref: templates.full.idOf('AWS::SNS::Topic') },
      ServiceTokensSecret: { Ref: templates.full.idOf('AWS::SecretsManager::Secret', 'SecretsServiceTokens') },
    });
    expect(outputs['DomainTarget']).toBeUndefined();
  });
});
