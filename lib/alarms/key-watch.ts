/**
 * Tells at once that a key was disabled or is to be deleted, and not only when the first payload cannot
 * be opened: a deletion can be cancelled for as long as it waits. AWS delivers the event in the account
 * and Region of the key, so a rule here sees only keys that are here; `config/` warns of the others.
 */
import { Fn } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { runbookAddress } from './runbook.ts';

export interface KeyWatchProps {
  readonly environment: string;
  /** ARNs of keys in the stack's own account and Region. */
  readonly keyArns: readonly string[];
  readonly topic: ITopic;
  /** Where the runbook is. */
  readonly runbook: string | undefined;
}

/** Makes the rule `KeyWatch`. It needs CloudTrail, which has every call to KMS in an account that keeps a trail of management events. */
export function watchKeys(scope: Construct, { environment, keyArns, topic, runbook }: KeyWatchProps): void {
  // CloudTrail has what the caller named the key by: its ARN or its id.
  const keyIds = keyArns.flatMap((arn) => [arn, Fn.select(1, Fn.split('/', arn))]);
  const [what, key, who] = ['$.detail.eventName', '$.detail.requestParameters.keyId', '$.detail.userIdentity.arn'].map(
    (path) => EventField.fromPath(path),
  );
  new Rule(scope, 'KeyWatch', {
    description: `Codec server, ${environment}: a key was disabled or is to be deleted (needs CloudTrail).`,
    eventPattern: {
      source: ['aws.kms'],
      detailType: ['AWS API Call via CloudTrail'],
      detail: {
        eventSource: ['kms.amazonaws.com'],
        eventName: ['DisableKey', 'ScheduleKeyDeletion'],
        requestParameters: { keyId: keyIds },
      },
    },
    targets: [
      new SnsTopic(topic, {
        message: RuleTargetInput.fromText(
          `Codec server, ${environment}: ${who} called ${what} for the key ${key}. Payloads under it cannot be read from now on. Unless it was meant, enable the key or cancel its deletion now: ${runbookAddress('KeyWatch', runbook)}`,
        ),
      }),
    ],
  });
}
