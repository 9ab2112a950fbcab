/** The stack of an environment that may not be deployed yet. */
import { CfnWaitConditionHandle, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Problem } from '../config/problem.ts';
import { refuse } from './refuse.ts';

export interface RefusedStackProps extends StackProps {
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
