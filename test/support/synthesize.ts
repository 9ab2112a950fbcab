/** Templates for tests, synthesized in this process and without bundling. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { EnvironmentConfig } from '../../config/environment.ts';
import { PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { addEnvironments } from '../../lib/codec-server-app.ts';

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation says
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** Where apps write their assemblies, which the CDK would leave behind. */
const assemblies = mkdtempSync(join(tmpdir(), 'codec-server-assemblies-'));
afterAll(() => rmSync(assemblies, { recursive: true }));

/** The stack of an environment. */
export function stackOf(config: EnvironmentConfig, name: string): Stack {
  const outdir = mkdtempSync(join(assemblies, `${name}-`));
  const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
  const [stack] = addEnvironments(app, [{ name, file: `${PROJECT_ROOT}environments/${name}.ts`, config }]);
  if (stack === undefined) throw new Error('no stack was made');
  return stack;
}

/** The template of an environment. */
export class SynthesizedTemplate {
  readonly template: Template;

  constructor(config: EnvironmentConfig, name = 'dev') {
    this.template = Template.fromStack(stackOf(config, name));
  }

  /** Resources of a type by logical id. */
  all(type: string): Record<string, Resource> {
    return this.template.findResources(type) as Record<string, Resource>;
  }

  /** The one resource of a type whose logical id begins with `prefix`. */
  one(type: string, prefix = ''): Resource {
    const resource = this.all(type)[this.idOf(type, prefix)];
    if (resource === undefined) throw new Error(`no ${type} ${prefix}…`);
    return resource;
  }

  /** The logical id of the one resource of a type whose logical id begins with `prefix`. */
  idOf(type: string, prefix = ''): string {
    const ids = Object.keys(this.all(type)).filter((id) => id.startsWith(prefix));
    const [id] = ids;
    if (id === undefined || ids.length > 1) {
      throw new Error(`expected one ${type} ${prefix}…, found: ${ids.join(', ') || 'none'}`);
    }
    return id;
  }

  /** How a template refers to the ARN of the one resource of a type whose logical id begins with `prefix`. */
  arnOf(type: string, prefix = ''): { 'Fn::GetAtt': string[] } {
    return { 'Fn::GetAtt': [this.idOf(type, prefix), 'Arn'] };
  }

  /** The statements of the policies attached to the role whose logical id begins with `prefix`, by Sid. */
  statementsOf(prefix: string): Record<string, unknown> {
    const id = this.idOf('AWS::IAM::Role', prefix);
    const policies = Object.values(this.all('AWS::IAM::Policy')).filter(({ Properties }) =>
      Properties.Roles.some((role: { Ref?: string }) => role.Ref === id),
    );
    return Object.fromEntries(
      policies.flatMap(({ Properties }) =>
        Properties.PolicyDocument.Statement.map((statement: { Sid: string }) => [statement.Sid, statement]),
      ),
    );
  }
}
