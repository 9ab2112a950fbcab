/** The stack of an environment that may not be deployed yet. */
import { Annotations, CfnRule, CfnWaitConditionHandle, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { formatProblems, type Problem } from '../config/problem.ts';

/** CloudFormation takes 4,000 characters of a rule's description; the rest stands in the error at synth. */
const MOST_DESCRIPTION_CHARACTERS = 3000;

export interface RefusedStackProps extends StackProps {
  readonly configFile: string;
  readonly problems: readonly Problem[];
}

/**
 * Takes the place of an environment's stack, so that `cdk synth` and `cdk deploy` of it fail with
 * every problem while the other environments go on. Where somebody overrides the CDK's refusal,
 * CloudFormation refuses too: the template's rule never holds, so that a stack that exists stays as it is.
 */
export class RefusedStack extends Stack {
  constructor(scope: Construct, id: string, { configFile, problems, ...props }: RefusedStackProps) {
    super(scope, id, props);
    const text = `${configFile} cannot be deployed:\n${formatProblems(problems)}`;
    Annotations.of(this).addError(text);
    new CfnWaitConditionHandle(this, 'Nothing');
    new CfnRule(this, 'Refused', {
      assertions: [
        {
          assert: Fn.conditionEquals('configuration', 'checked'),
          assertDescription: text.slice(0, MOST_DESCRIPTION_CHARACTERS),
        },
      ],
    });
  }
}
