/** How a deployment is refused: at synth, and by CloudFormation where somebody overrides that. */
import { Annotations, CfnRule, Fn } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { formatProblems, type Problem } from '../config/problem.ts';

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
