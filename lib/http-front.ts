/** The HTTP API in front of the function. It owns CORS: it answers preflight without waking the function. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias, IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { LogsConfig, ThrottlingConfig } from '../config/environment.ts';
import { PREFLIGHT_MAX_AGE_SECONDS, WEB_UI_HEADERS } from '../config/preflight.ts';
import type { CorsConfig } from '../config/schema.ts';
import { ENCRYPTED_BY_AWS } from './codec-function.ts';
import { acceptFindings } from './findings.ts';

/** The pages of the sign-in; `lambda/server/sign-in/routes.ts` answers them. */
const SIGN_IN_PATHS = ['/', '/login', '/callback', '/logout'];

/**
 * One JSON object a request: what came, what went, how long it took. No header, no query and no
 * body, since those carry tokens and payloads.
 */
const ACCESS_LOG = {
  time: '$context.requestTime',
  requestId: '$context.requestId',
  sourceIp: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  route: '$context.routeKey',
  protocol: '$context.protocol',
  status: '$context.status',
  responseLength: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  functionLatencyMs: '$context.integrationLatency',
  functionStatus: '$context.integrationStatus',
  gatewayError: '$context.error.responseType',
};

export interface HttpFrontProps {
  readonly environment: string;
  readonly handler: Alias;
  readonly cors: CorsConfig;
  readonly throttling: ThrottlingConfig;
  readonly logs: LogsConfig;
  readonly retain: boolean;
  readonly logsKey: IKey | undefined;
  /** Whether only the environment's own domain answers. */
  readonly disableDefaultEndpoint: boolean;
  /** Whether the environment has a sign-in of its own. */
  readonly signIn: boolean;
}

export class HttpFront extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;
  readonly accessLogs: LogGroup;

  constructor(scope: Construct, id: string, props: HttpFrontProps) {
    super(scope, id);
    const integration = new HttpLambdaIntegration('Function', props.handler as IFunction, {
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    });
    this.api = new HttpApi(this, 'Api', {
      apiName: `codec-server-${props.environment}`,
      description: `Codec server for Temporal, ${props.environment}.`,
      createDefaultStage: false,
      disableExecuteApiEndpoint: props.disableDefaultEndpoint,
      corsPreflight: {
        allowOrigins: [...props.cors.origins],
        allowMethods: [CorsHttpMethod.POST],
        allowHeaders: [...WEB_UI_HEADERS],
        maxAge: Duration.seconds(PREFLIGHT_MAX_AGE_SECONDS),
        ...(props.cors.credentials ? { allowCredentials: true } : {}),
      },
    });
    // Clients put prefixes and doubled slashes before the operation; the pipeline decides by the last segment.
    this.api.addRoutes({ path: '/{proxy+}', methods: [HttpMethod.POST], integration });
    this.api.addRoutes({ path: '/healthz', methods: [HttpMethod.GET], integration });
    this.api.addRoutes({ path: '/readyz', methods: [HttpMethod.GET], integration });
    if (props.signIn) {
      for (const path of SIGN_IN_PATHS) this.api.addRoutes({ path, methods: [HttpMethod.GET], integration });
    }

    acceptFindings(
      this.api,
      ['AwsSolutions-APIG4'],
      "The function verifies tokens itself: the gateway's authorizer knows neither namespaces nor the audit trail. Health says yes or no, and the sign-in's pages are for those who have not signed in: both are for everybody.",
    );

    this.accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: props.logs.retentionDays as RetentionDays,
      removalPolicy: props.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(props.logsKey === undefined ? {} : { encryptionKey: props.logsKey }),
    });
    acceptFindings(this.accessLogs, ['CKV_AWS_158'], ENCRYPTED_BY_AWS);
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: props.throttling.rate, burstLimit: props.throttling.burst },
      detailedMetricsEnabled: true,
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLogs),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
  }
}
