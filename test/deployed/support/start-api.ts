/** The API of a template, of whichever kind, on loopback. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { GatewayOptions } from './gateway-server.ts';
import { type GatewayCors, HttpApi } from './http-api.ts';
import type { LambdaService } from './lambda-service.ts';
import type { CallerPlace } from './resource-policy.ts';
import { type GatewayResponse, RestApi } from './rest-api.ts';
import type { DeployedTemplate, TemplateResource } from './template.ts';

export interface StartApiOptions extends Pick<GatewayOptions, 'tls' | 'port'> {
  /** Where requests come from, for a REST API that asks. Default: an address of the internet. */
  readonly from?: CallerPlace | undefined;
}

const SOMEWHERE: CallerPlace = { sourceIp: '198.51.100.7' };

/** Starts the API that the template has. */
export function startApi(
  template: DeployedTemplate,
  lambda: LambdaService,
  options: StartApiOptions,
): Promise<HttpApi | RestApi> {
  return template.ofType('AWS::ApiGateway::RestApi').length > 0
    ? startRestApi(template, lambda, options)
    : startHttpApi(template, lambda, options);
}

function startHttpApi(template: DeployedTemplate, lambda: LambdaService, { tls, port }: StartApiOptions) {
  const [, { Properties: api }] = template.one('AWS::ApiGatewayV2::Api');
  const [, { Properties: stage }] = template.one('AWS::ApiGatewayV2::Stage');
  const { ThrottlingRateLimit, ThrottlingBurstLimit } = stage.DefaultRouteSettings;
  const integrations = integrationsOf(template, lambda);
  const routes = Object.fromEntries(
    template.ofType('AWS::ApiGatewayV2::Route').map(([id, { Properties }]) => {
      const target = String(Properties.Target['Fn::Join'][1][1].Ref);
      const integration = integrations.get(target);
      if (integration === undefined) throw new Error(`the route ${id} leads nowhere`);
      return [String(Properties.RouteKey), integration];
    }),
  );
  return HttpApi.start({
    routes,
    cors: api.CorsConfiguration as GatewayCors | undefined,
    throttling: { rate: ThrottlingRateLimit, burst: ThrottlingBurstLimit },
    tls,
    port,
  });
}

/** What each integration of the template calls: the alias of the function, and nothing else is known here. */
function integrationsOf(template: DeployedTemplate, lambda: LambdaService) {
  const [aliasId] = template.one('AWS::Lambda::Alias', 'CodecLive');
  const integrations = new Map<string, (event: unknown) => Promise<unknown>>();
  for (const [id, { Properties }] of template.ofType('AWS::ApiGatewayV2::Integration')) {
    const isOurs = Properties.IntegrationUri?.Ref === aliasId && Properties.PayloadFormatVersion === '2.0';
    if (!isOurs) throw new Error(`the integration ${id} does not call the function with payload format 2.0`);
    integrations.set(id, (event) => lambda.invoke(event));
  }
  return integrations;
}

function startRestApi(template: DeployedTemplate, lambda: LambdaService, { tls, port, from }: StartApiOptions) {
  const [, { Properties: api }] = template.one('AWS::ApiGateway::RestApi');
  const [, { Properties: stage }] = template.one('AWS::ApiGateway::Stage');
  const [limits] = stage.MethodSettings;
  return RestApi.start(
    {
      routes: restRoutes(template, lambda),
      stage: stage.StageName,
      hasDomain:
        [...template.ofType('AWS::ApiGatewayV2::ApiMapping'), ...template.ofType('AWS::ApiGateway::BasePathMappingV2')]
          .length > 0,
      type: api.EndpointConfiguration.Types[0],
      policy: api.Policy.Statement,
      responses: gatewayResponses(template),
      throttling: { rate: limits.ThrottlingRateLimit, burst: limits.ThrottlingBurstLimit },
      tls,
      port,
    },
    from ?? SOMEWHERE,
  );
}

function restRoutes(template: DeployedTemplate, lambda: LambdaService) {
  const [aliasId] = template.one('AWS::Lambda::Alias', 'CodecLive');
  const methods = template.ofType('AWS::ApiGateway::Method');
  return Object.fromEntries(
    methods.map(([id, { Properties }]) => {
      const { Type, Uri } = Properties.Integration;
      if (Type !== 'AWS_PROXY' || !JSON.stringify(Uri).includes(`"Ref":"${aliasId}"`))
        throw new Error(`the method ${id} does not call the function as a proxy`);
      const route = `${Properties.HttpMethod} ${pathOf(template, Properties.ResourceId)}`;
      return [route, (event: APIGatewayProxyEvent) => lambda.invoke(event)];
    }),
  );
}

/** The path of a resource: the parts above it, and its own. */
function pathOf(template: DeployedTemplate, reference: { readonly Ref?: string }): string {
  if (reference.Ref === undefined) return '/';
  const { Properties } = template.resources[reference.Ref] as TemplateResource;
  return `${pathOf(template, Properties.ParentId).replace(/\/$/, '')}/${Properties.PathPart}`;
}

function gatewayResponses(template: DeployedTemplate): Record<string, GatewayResponse> {
  return Object.fromEntries(
    template.ofType('AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => {
      const given = Object.entries((Properties.ResponseParameters ?? {}) as Record<string, string>);
      const headers = given.map(([name, value]) => [
        name.replace('gatewayresponse.header.', '').toLowerCase(),
        // A text stands between quotes.
        value.replace(/^'(.*)'$/, '$1'),
      ]);
      const status = Properties.StatusCode === undefined ? undefined : Number(Properties.StatusCode);
      return [Properties.ResponseType, { status, headers: Object.fromEntries(headers) }];
    }),
  );
}
