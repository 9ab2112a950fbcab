/**
 * Alarms, each of which means that somebody has to do something; what, stands in its description and
 * behind the address at its end. Missing data is fine: nobody reads payloads at night.
 */
import { Duration, Fn } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { EventField, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias, IFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { CANARY_EVENT } from '../../config/metrics.ts';
import { CANARY_MINUTES, type Watch, type Watched, watchesOf } from './watches.ts';

/** Where an alarm's row in the runbook is. */

/** The page in this repository; `alarms.runbookUrl` of an environment names a copy that a browser can open. */
const RUNBOOK = 'docs/operate.md';

/** The address of the row about an alarm: `docs/operate.md#not-served` for `NotServed`. */
function runbookAddress(alarmId: string, runbook: string = RUNBOOK): string {
  const anchor = alarmId.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
  return `${runbook}#${anchor}`;
}

// Tells at once that a key was disabled or is to be deleted, and not only when the first payload cannot
// be opened: a deletion can be canceled for as long as it waits. AWS delivers the event in the account
// and Region of the key, so a rule here sees only keys that are here; `config/` warns of the others.

export interface KeyWatchProps {
  readonly environment: string;
  /** ARNs of keys in the stack's own account and Region. */
  readonly keyArns: readonly string[];
  readonly topic: ITopic;
  /** Where the runbook is. */
  readonly runbook: string | undefined;
}

/** Makes the rule `KeyWatch`. It needs CloudTrail, which has every call to KMS in an account that keeps a trail of management events. */
function watchKeys(scope: Construct, { environment, keyArns, topic, runbook }: KeyWatchProps): void {
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

export interface AlarmsProps extends Watched {
  /** ARNs of the KMS keys in use that are in the stack's own account and Region. */
  readonly keyArns: readonly string[];
  /** Encrypts the topic made here; undefined for none. */
  readonly key: IKey | undefined;
}

export class Alarms extends Construct {
  readonly topic: ITopic | undefined;
  readonly all: readonly Alarm[];
  readonly #props: AlarmsProps;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#props = props;
    this.topic = this.#topic();
    this.all = watchesOf(props).map((watch) => this.#alarm(watch));
    const { environment, keyArns, config } = props;
    if (config.canary) scheduleCanary(this, environment, props.function);
    if (this.topic !== undefined && keyArns.length > 0) {
      watchKeys(this, { environment, keyArns, topic: this.topic, runbook: config.runbookUrl });
    }
  }

  #alarm({ id, metric, threshold, periods = 1, missing = TreatMissingData.NOT_BREACHING, description }: Watch): Alarm {
    const { environment, config } = this.#props;
    const alarm = new Alarm(this, id, {
      alarmDescription: `Codec server, ${environment}: ${description} ${runbookAddress(id, config.runbookUrl)}`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: missing,
    });
    if (this.topic !== undefined) {
      alarm.addAlarmAction(new SnsAction(this.topic));
      alarm.addOkAction(new SnsAction(this.topic));
    }
    return alarm;
  }

  #topic(): ITopic | undefined {
    const { config, environment, key } = this.#props;
    if (config.topic === null) return undefined;
    if (config.topic !== 'created-by-stack') return Topic.fromTopicArn(this, 'Topic', config.topic.arn);
    const topic = new Topic(this, 'Topic', {
      displayName: `Codec server, ${environment}`,
      enforceSSL: true,
      ...(key === undefined ? {} : { masterKey: key }),
    });
    // EventBridge has a statement without a condition, which the CDK adds for the rule: it supports none.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': topic.env.account } },
      }),
    );
    return topic as ITopic;
  }
}

// The canary: the schedule that asks the function whether it could serve somebody, while nobody is there to ask.

/** Makes the rule `CanarySchedule`. */
function scheduleCanary(scope: Construct, environment: string, codec: Alias): void {
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
