/**
 * The synthesized stacks, created and deleted by moto's CloudFormation: as much of them as it knows.
 * What it does not know is listed here, and covered by `test/deployed` (which runs the gateway's and
 * the function's part of the template) and by the checkers of `npm run check:templates`. The stack that
 * uses every part (`test/support/environments/full.ts`) is left to those: moto answers it with an
 * internal error, and what it adds to these two is nearly all of types that moto does not know.
 */

import { ListAliasesCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EnvironmentConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';
import prod from '../support/environments/prod.ts';
import { Moto } from '../support/moto.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

/** Types of the stacks that moto's CloudFormation makes nothing of. */
const NOT_IN_MOTO = [
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::ApiMapping',
  'AWS::ApiGatewayV2::DomainName',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CloudWatch::Alarm',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Logs::LogStream',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::SubscriptionFilter',
  'AWS::Route53::RecordSet',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::SecretsManager::Secret',
];

const REGION = 'eu-central-1';
/** The smallest zip there is. */
const EMPTY_ZIP = Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64');

// biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation says
type Json = any;

let moto: Moto;

/** A call of a service, as moto tells services apart; it verifies no signature. */
async function call(service: string, path: string, init: RequestInit): Promise<string> {
  const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=x`;
  const response = await fetch(`${moto.endpoint}${path}`, { ...init, headers: { ...init.headers, authorization } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${service} ${path}: ${response.status} ${text}`);
  return text;
}

function cloudFormation(parameters: Record<string, string>): Promise<string> {
  return call('cloudformation', '/', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Version: '2010-05-15', ...parameters }),
  });
}

/** The template without what moto does not know; what refers to it gets its name instead. */
function withoutUnknown(template: Json): Json {
  const unknown = new Set(
    Object.entries(template.Resources as Record<string, Json>)
      .filter(([, { Type }]) => NOT_IN_MOTO.includes(Type))
      .map(([id]) => id),
  );
  const replace = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    const target = value.Ref ?? value['Fn::GetAtt']?.[0];
    // An alias stands for its function.
    if (template.Resources[target]?.Type === 'AWS::Lambda::Alias')
      return template.Resources[target].Properties.FunctionName;
    if (unknown.has(target)) return `the-${target}`;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item)]));
  };
  const resources = Object.entries(template.Resources as Record<string, Json>)
    .filter(([id]) => !unknown.has(id))
    .map(([id, { DependsOn = [], ...resource }]) => {
      const dependsOn = [DependsOn].flat().filter((it: string) => !unknown.has(it));
      return [id, { ...replace(resource), ...(dependsOn.length > 0 ? { DependsOn: dependsOn } : {}) }];
    });
  const { Mappings } = template;
  return { Mappings, Resources: Object.fromEntries(resources), Outputs: replace(template.Outputs) };
}

/** What `cdk deploy` puts in place before the stack: the assets. */
async function publishAssets(template: Json, account: string): Promise<void> {
  const bucket = `cdk-hnb659fds-assets-${account}-${REGION}`;
  const location = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
  await call('s3', `/${bucket}`, { method: 'PUT', body: location });
  for (const { Properties } of Object.values(template.Resources as Record<string, Json>)) {
    if (Properties?.Code?.S3Key)
      await call('s3', `/${bucket}/${Properties.Code.S3Key}`, { method: 'PUT', body: EMPTY_ZIP });
  }
}

beforeAll(async () => {
  moto = await Moto.start();
});

afterAll(() => moto.close());

const ENVIRONMENTS: [string, EnvironmentConfig, string][] = [
  ['dev', dev, '123456789012'],
  ['prod', prod, '111122223333'],
];

describe.each(ENVIRONMENTS)('the stack of %s', (name, config, account) => {
  const StackName = `CodecServer-${name}`;

  it('is created whole, as far as moto knows its parts, and deleted again', async () => {
    const template = new SynthesizedTemplate(config, name).template.toJSON();
    const known = withoutUnknown(template);
    await publishAssets(known, account).catch((error: Error) => {
      if (!error.message.includes('BucketAlready')) throw error;
    });
    await cloudFormation({
      Action: 'CreateStack',
      StackName,
      TemplateBody: JSON.stringify(known),
      'Capabilities.member.1': 'CAPABILITY_IAM',
    });
    expect(await cloudFormation({ Action: 'DescribeStacks', StackName })).toContain(
      '<StackStatus>CREATE_COMPLETE</StackStatus>',
    );
    const resources = await cloudFormation({ Action: 'DescribeStackResources', StackName });
    const created = [...resources.matchAll(/<LogicalResourceId>([^<]+)</g)].map(([, id]) => id).sort();
    expect(created).toEqual(Object.keys(known.Resources).sort());

    const { Aliases = [] } = await moto.kms(REGION).send(new ListAliasesCommand({}));
    const alias = Aliases.find(({ AliasName }) => AliasName === `alias/codec-server/${name}`);
    const { Keys = [] } = await moto.kms(REGION).send(new ListKeysCommand({}));
    expect(Keys.map(({ KeyId }) => KeyId)).toContain(alias?.TargetKeyId);

    await cloudFormation({ Action: 'DeleteStack', StackName });
    expect(await cloudFormation({ Action: 'ListStacks' })).toContain('<StackStatus>DELETE_COMPLETE</StackStatus>');
  });
});
