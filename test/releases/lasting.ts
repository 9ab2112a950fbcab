/**
 * What of a template has to last through upgrades, in a form small enough to be committed: every logical id with its
 * type, and of each resource those properties that CloudFormation replaces it for, or that hold what people put there.
 */

// biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation says
type Json = any;

/** Properties by type, as the CloudFormation resource reference has them under "Update requires: Replacement". */
const LASTING_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGatewayV2::Api': ['ProtocolType'],
  'AWS::ApiGatewayV2::ApiMapping': ['ApiId', 'DomainName'],
  'AWS::ApiGatewayV2::DomainName': ['DomainName'],
  'AWS::ApiGatewayV2::Stage': ['ApiId', 'StageName'],
  'AWS::CloudWatch::Dashboard': ['DashboardName'],
  'AWS::Events::Rule': ['Name', 'EventBusName'],
  'AWS::IAM::ManagedPolicy': ['Description', 'ManagedPolicyName', 'Path'],
  'AWS::IAM::Role': ['RoleName', 'Path'],
  'AWS::KMS::Alias': ['AliasName'],
  'AWS::KMS::Key': ['KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'],
  'AWS::Lambda::Alias': ['FunctionName', 'Name'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::Logs::LogStream': ['LogGroupName', 'LogStreamName'],
  'AWS::Logs::SubscriptionFilter': ['FilterName', 'LogGroupName'],
  'AWS::Route53::RecordSet': ['HostedZoneId', 'Name', 'Type'],
  'AWS::S3::Bucket': ['BucketName', 'ObjectLockEnabled'],
  // A new text in the template overwrites what people filled in.
  'AWS::SecretsManager::Secret': ['GenerateSecretString', 'Name', 'SecretString'],
  'AWS::SNS::Topic': ['FifoTopic', 'TopicName'],
};

/** What may be made anew: a version is one of its content, and nothing is kept in an alarm or a permission, nor refers to it. */
const NOT_LASTING: ReadonlySet<string> = new Set([
  'AWS::CloudWatch::Alarm',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
]);

/** What becomes of a resource that leaves the stack, from gone to kept; an upgrade may only keep more. */
const KEPT = { Delete: 0, Snapshot: 1, RetainExceptOnCreate: 2, Retain: 2 } as const;

/** A resource as a release froze it. */
export interface LastingResource {
  readonly type: string;
  readonly properties?: Readonly<Record<string, Json>>;
  /** What becomes of it when it leaves the stack, where it does not go with it. */
  readonly deletionPolicy?: keyof typeof KEPT;
}

/** A template as a release froze it. */
export interface LastingTemplate {
  readonly resources: Readonly<Record<string, LastingResource>>;
  readonly outputs: readonly string[];
}

/** Takes from a template what lasts. */
export function lastingOf(template: { readonly Resources: Json; readonly Outputs?: Json }): LastingTemplate {
  const resources = Object.entries<Json>(template.Resources).flatMap(([id, resource]) => {
    if (NOT_LASTING.has(resource.Type)) return [];
    const names = LASTING_PROPERTIES[resource.Type] ?? [];
    const properties = names.flatMap((name) => {
      const value = resource.Properties?.[name];
      return value === undefined ? [] : [[name, value]];
    });
    const lasting: LastingResource = {
      type: resource.Type,
      ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
      ...(resource.DeletionPolicy === undefined ? {} : { deletionPolicy: resource.DeletionPolicy }),
    };
    return [[id, lasting] as const];
  });
  return {
    resources: Object.fromEntries(resources.sort(([a], [b]) => (a < b ? -1 : 1))),
    outputs: Object.keys(template.Outputs ?? {}).sort(),
  };
}

/** What an upgrade from `before` to `after` would replace, lose or overwrite; empty when it is an ordinary one. */
export function breaksBetween(before: LastingTemplate, after: LastingTemplate): string[] {
  const resources = Object.entries(before.resources).flatMap(([id, was]) => {
    const is = after.resources[id];
    if (is === undefined) return [`${id} (${was.type}) is gone`];
    if (is.type !== was.type) return [`${id} was ${was.type} and is ${is.type}`];
    if (KEPT[is.deletionPolicy ?? 'Delete'] < KEPT[was.deletionPolicy ?? 'Delete'])
      return [`${id} (${was.type}) is kept no longer`];
    const names = new Set([...Object.keys(was.properties ?? {}), ...Object.keys(is.properties ?? {})]);
    return [...names].flatMap((name) => {
      const same = JSON.stringify(was.properties?.[name]) === JSON.stringify(is.properties?.[name]);
      return same ? [] : [`${id} (${was.type}) has another ${name}`];
    });
  });
  const outputs = before.outputs
    .filter((name) => !after.outputs.includes(name))
    .map((name) => `output ${name} is gone`);
  return [...resources, ...outputs];
}
