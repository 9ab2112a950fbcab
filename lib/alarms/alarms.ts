/**
 * Alarms, each of which means that somebody has to do something; what, stands in its description and
 * behind the address at its end. Missing data is fine: nobody reads payloads at night.
 */
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { scheduleCanary } from './canary.ts';
import { watchKeys } from './key-watch.ts';
import { runbookAddress } from './runbook.ts';
import { type Watch, type Watched, watchesOf } from './watches.ts';

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
