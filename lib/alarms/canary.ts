/** The schedule that asks the function whether it could serve somebody, while nobody is there to ask. */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Alias, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { CANARY_EVENT } from '../../config/metrics.ts';

/** Minutes from one question to the next: longer than a data key is cached by default, so that KMS is asked each time. */
export const CANARY_MINUTES = 6;

/** Makes the rule `CanarySchedule`. */
export function scheduleCanary(scope: Construct, environment: string, codec: Alias): void {
  new Rule(scope, 'CanarySchedule', {
    description: `Codec server, ${environment}: can it serve somebody?`,
    schedule: Schedule.rate(Duration.minutes(CANARY_MINUTES)),
    targets: [
      new LambdaFunction(codec as IFunction, {
        event: RuleTargetInput.fromObject({ ...CANARY_EVENT }),
        retryAttempts: 0,
      }),
    ],
  });
}
