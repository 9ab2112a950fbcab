/** The HTTP API in front of the function. It owns CORS: it answers preflight without waking the function. */
import { Duration } from 'aws-cdk-lib';
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
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { PREFLIGHT_MAX_AGE_SECONDS, WEB_UI_HEADERS } from '../../config/preflight.ts';
import { acceptFindings } from '../findings.ts';
import { ACCESS_LOG, type Front, type FrontProps, HEALTH_PATHS, makeAccessLogs, SIGN_IN_PATHS } from './front.ts';

/** One JSON object a request. */
const LINE = { ...ACCESS_LOG, requestId: '$context.requestId', route: '$context.routeKey' };

export class HttpFront extends Construct implements Front {
  readonly apiId: string;
  readonly stageName: string;
  readonly accessLogs: LogGroup;
  readonly api: HttpApi;
  readonly throttled: Metric;

  constructor(scope: Construct, id: string, props: FrontProps) {
    super(scope, id);
    const integration = new HttpLambdaIntegration('Function', props.handler as IFunction, {
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    });
    const api = new HttpApi(this, 'Api', {
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
    api.addRoutes({ path: '/{proxy+}', methods: [HttpMethod.POST], integration });
    for (const path of [...HEALTH_PATHS, ...(props.signIn ? SIGN_IN_PATHS : [])])
      api.addRoutes({ path, methods: [HttpMethod.GET], integration });
    acceptFindings(
      api,
      ['AwsSolutions-APIG4'],
      "The function verifies tokens itself: the gateway's authorizer knows neither namespaces nor the audit trail. Health says yes or no, and the sign-in's pages are for those who have not signed in: both are for everybody.",
    );

    const { logGroup, throttled } = makeAccessLogs(this, props);
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: props.throttling.rate, burstLimit: props.throttling.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(logGroup),
        format: AccessLogFormat.custom(JSON.stringify(LINE)),
      },
    });
    this.apiId = api.apiId;
    this.stageName = stage.stageName;
    this.accessLogs = logGroup;
    this.api = api;
    this.throttled = throttled;
  }

  /** @throws Error where the default endpoint is disabled: there is none */
  get endpoint(): string {
    return this.api.apiEndpoint;
  }
}
