/** How a deployment is refused: at synth, and by CloudFormation where somebody overrides that; and what stands in its place. */
import { Annotations, CfnRule, CfnWaitConditionHandle, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { EnvironmentConfig } from '../config/environment.ts';
import { formatProblems, type Problem } from '../config/problem.ts';
import type { CodecServerConfig } from '../config/schema.ts';

/** CloudFormation takes 4,000 characters of a rule's description; the rest stands in the error at synth. */
const MOST_DESCRIPTION_CHARACTERS = 3000;

/**
 * Makes `cdk synth` and `cdk deploy` of the stack of `scope` fail with every problem, while other stacks go on. Where
 * somebody overrides the CDK's refusal, CloudFormation refuses too: the template's rule never holds, so that a stack
 * that exists stays as it is.
 *
 * @param what what cannot be deployed, such as the file of the configuration
 */
export function refuse(scope: Construct, what: string, problems: readonly Problem[]): void {
  const text = `${what} cannot be deployed:\n${formatProblems(problems)}`;
  Annotations.of(scope).addError(text);
  new CfnRule(scope, 'Refused', {
    assertions: [
      {
        assert: Fn.conditionEquals('configuration', 'checked'),
        assertDescription: text.slice(0, MOST_DESCRIPTION_CHARACTERS),
      },
    ],
  });
}

/** Takes the place of a configuration with problems, so that what the app does with the construct goes on until all are told. */
export const NOBODY: CodecServerConfig = {
  defaultNamespace: null,
  cors: { origins: [], credentials: false },
  failures: 'explain',
  compression: null,
  identity: { issuers: [{ type: 'temporal-cloud' }], serviceTokens: null },
  access: [],
  keys: { keyring: null, kms: [{ namespaces: ['*'], write: 'created-by-stack' }], staticKeys: null },
};

/** What the stack of an environment with problems is made of, so that the app goes on until all of them are told. */
export const REFUSED: EnvironmentConfig = {
  ...NOBODY,
  deployment: {
    target: null,
    onDelete: 'retain',
    terminationProtection: true,
    logs: { level: 'INFO', retentionDays: 30, auditRetentionDays: 30, encryption: 'aws' },
    throttling: { rate: 1, burst: 1 },
    concurrency: { reserved: null, provisioned: null },
    domain: null,
    alarms: null,
  },
};

interface RefusedStackProps extends StackProps {
  readonly configFile: string;
  readonly problems: readonly Problem[];
}

/** Takes the place of an environment's stack, so that every problem of its file is seen, and nothing of it is deployed. */
export class RefusedStack extends Stack {
  constructor(scope: Construct, id: string, { configFile, problems, ...props }: RefusedStackProps) {
    super(scope, id, props);
    refuse(this, configFile, problems);
    new CfnWaitConditionHandle(this, 'Nothing');
  }
}
