/** How a deployment is refused: at synth, and by CloudFormation where somebody overrides that; and what stands in its place. */
import { Annotations, CfnRule, Fn } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
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
