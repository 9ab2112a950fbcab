/**
 * The REST API in front of the function: open to the internet, to some addresses, or to VPC endpoints
 * alone. It has no CORS for several origins, so the function answers preflights.
 */
import { Aws } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  EndpointType,
  type GatewayResponseOptions,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseType,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { InterfaceVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { type FrontReach, isPrivate, type RestApiConfig } from '../../config/environment.ts';
import { acceptFindings } from '../findings.ts';
import {
  ACCESS_LOG,
  type CountingApi,
  type Front,
  type FrontProps,
  HEALTH_PATHS,
  makeAccessLogs,
  SIGN_IN_PATHS,
} from './front.ts';

/** Stands in every path of the default endpoint. */
const STAGE = 'live';

/** One JSON object a request; its id is the one that callers cannot choose. */
const LINE = {
  ...ACCESS_LOG,
  requestId: '$context.extendedRequestId',
  route: '$context.resourcePath',
  vpcEndpoint: '$context.identity.vpceId',
};

export class RestFront extends Construct implements Front {
  readonly endpoint: string;
  readonly apiId: string;
  readonly stageName = STAGE;
  readonly accessLogs: LogGroup;
  readonly api: CountingApi;
  readonly throttled: Metric;

  constructor(scope: Construct, id: string, props: FrontProps & { readonly front: RestApiConfig }) {
    super(scope, id);
    const { environment, throttling, front } = props;
    const { logGroup, throttled } = makeAccessLogs(this, props);
    const endpoints = vpcEndpointsOf(front.reach);
    const api = new RestApi(this, 'Rest', {
      restApiName: `codec-server-${environment}`,
      description: `Codec server for Temporal, ${environment}.`,
      // The account's role for logs is one for all its APIs; a stack that made it would take it away from the others when it goes.
      cloudWatchRole: false,
      disableExecuteApiEndpoint: props.disableDefaultEndpoint && !isPrivate(front),
      endpointConfiguration: {
        types: [isPrivate(front) ? EndpointType.PRIVATE : EndpointType.REGIONAL],
        // With the endpoints associated, Route 53 has a name of the API for each of them.
        ...(endpoints.length === 0
          ? {}
          : {
              vpcEndpoints: endpoints.map((vpcEndpointId) =>
                InterfaceVpcEndpoint.fromInterfaceVpcEndpointAttributes(this, vpcEndpointId, {
                  vpcEndpointId,
                  port: 443,
                }),
              ),
            }),
      },
      policy: policyOf(front.reach),
      deployOptions: {
        stageName: STAGE,
        throttlingRateLimit: throttling.rate,
        throttlingBurstLimit: throttling.burst,
        tracingEnabled: front.tracing,
        // Execution logs can hold payloads, detailed metrics cost and nobody reads them, and a cache would keep plaintext.
        loggingLevel: MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        metricsEnabled: false,
        cachingEnabled: false,
        accessLogDestination: new LogGroupLogDestination(logGroup),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(LINE)),
      },
    });
    // The CDK's own output ends in a slash, and people would paste it.
    api.node.tryRemoveChild('Endpoint');
    addRoutes(api, props);
    addGatewayResponses(api, props);
    if (front.webAcl !== null) {
      new CfnWebACLAssociation(this, 'WebAcl', {
        resourceArn: api.deploymentStage.stageArn,
        webAclArn: front.webAcl.arn,
      });
    }
    acceptRestFindings(api, front);

    const [first] = endpoints;
    const host = first === undefined ? api.restApiId : `${api.restApiId}-${first}`;
    this.endpoint = `https://${host}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/${STAGE}`;
    this.apiId = api.restApiId;
    this.accessLogs = logGroup;
    this.api = api;
    this.throttled = throttled;
  }
}

function vpcEndpointsOf(reach: FrontReach): readonly string[] {
  return typeof reach === 'object' && 'vpcEndpoints' in reach ? reach.vpcEndpoints : [];
}

/** Who may call at all. What no statement allows is refused. */
function policyOf(reach: FrontReach): PolicyDocument {
  const conditions =
    reach === 'internet'
      ? undefined
      : 'addresses' in reach
        ? { IpAddress: { 'aws:SourceIp': [...reach.addresses] } }
        : { StringEquals: { 'aws:SourceVpce': [...reach.vpcEndpoints] } };
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['execute-api:Invoke'],
        resources: ['execute-api:/*'],
        ...(conditions === undefined ? {} : { conditions }),
      }),
    ],
  });
}

function addRoutes(api: RestApi, { handler, signIn }: FrontProps): void {
  const integration = new LambdaIntegration(handler as IFunction, { proxy: true, allowTestInvoke: false });
  const at = (path: string): IResource => (path === '/' ? api.root : api.root.addResource(path.slice(1)));
  // Clients put prefixes and doubled slashes before the operation; the pipeline decides by the last segment.
  const any = api.root.addResource('{proxy+}');
  for (const method of ['POST', 'OPTIONS']) any.addMethod(method, integration);
  for (const path of [...HEALTH_PATHS, ...(signIn ? SIGN_IN_PATHS : [])]) at(path).addMethod('GET', integration);
}

/** What the gateway answers by itself, so that a browser of the first origin can read it. A 413 cannot be changed. */
function addGatewayResponses(api: RestApi, { cors }: FrontProps): void {
  const [origin] = cors.origins;
  const headers = {
    'Cache-Control': "'no-store'",
    // Only one origin can stand here, and a wildcard never does.
    ...(origin === undefined ? {} : { 'Access-Control-Allow-Origin': `'${origin}'`, Vary: "'Origin'" }),
    ...(origin !== undefined && cors.credentials ? { 'Access-Control-Allow-Credentials': "'true'" } : {}),
  };
  const templates = { 'application/json': '{"message":$context.error.messageString}' };
  const add = (name: string, options: Omit<GatewayResponseOptions, 'responseHeaders' | 'templates'>) =>
    api.addGatewayResponse(name, { ...options, responseHeaders: headers, templates });
  add('ClientErrors', { type: ResponseType.DEFAULT_4XX });
  add('ServerErrors', { type: ResponseType.DEFAULT_5XX });
  // What AWS says of a path or method without a route speaks of a token, and sends people looking for one.
  add('NoRoute', { type: ResponseType.MISSING_AUTHENTICATION_TOKEN, statusCode: '404' });
}

function acceptRestFindings(api: RestApi, { reach, webAcl, tracing }: RestApiConfig): void {
  const stage = api.deploymentStage;
  acceptFindings(
    api,
    ['AwsSolutions-APIG2'],
    'The function checks a request from its first byte to its last; a schema of the gateway knows less of the protocol.',
  );
  acceptFindings(
    api,
    ['AwsSolutions-APIG4', 'AwsSolutions-COG4'],
    "The function verifies tokens itself: the gateway's authorizers know neither namespaces nor the audit trail. Health says yes or no, and the sign-in's pages are for those who have not signed in.",
  );
  acceptFindings(
    stage,
    ['AwsSolutions-APIG6'],
    'Execution logs can hold payloads and tokens; access logs are on, and hold neither.',
  );
  acceptFindings(stage, ['CKV_AWS_120'], 'A cache would keep plaintext, and answer whoever asks next.');
  if (webAcl === null) {
    const why = reach === 'internet' ? 'declined in writing' : 'the resource policy says who reaches it';
    acceptFindings(stage, ['AwsSolutions-APIG3'], `webAcl of the environment is null: ${why}.`);
  }
  if (!tracing) acceptFindings(stage, ['CKV_AWS_73'], 'tracing of the environment is false: declined in writing.');
  for (const method of api.methods) {
    acceptFindings(method, ['CKV_AWS_59'], 'The function verifies tokens itself, and a preflight carries none.');
  }
}
