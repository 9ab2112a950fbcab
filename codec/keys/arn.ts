/**
 * The parts of an Amazon Resource Name. Whoever wants the ARN of one kind of resource, such as a key, looks at the service
 * and the resource of what is read here.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export interface Arn {
  /** The ARN as it was written. */
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly partition: string;
  /** As in the ARN: `kms`, `secretsmanager`, `iam`, … */
  readonly service: string;
  /** Empty where the resource has none, such as a role. */
  readonly region: string;
  /** Twelve digits; empty where the resource has none, such as a bucket. */
  readonly account: string;
  /** Everything behind the account, such as `key/1234abcd-…`. */
  readonly resource: string;
}

const ARN = /^arn:(aws[a-z0-9-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}|):(.+)$/;

/** Reads an ARN; undefined when the text is not one. */
export function parseArn(text: string): Arn | undefined {
  const [, partition = '', service = '', region = '', account = '', resource] = ARN.exec(text) ?? [];
  return resource === undefined ? undefined : { arn: text, partition, service, region, account, resource };
}

/** Reads the ARN of a resource of a service that has accounts; undefined when the text is another ARN, or none. */
export function parseArnOf(service: string, text: string): Arn | undefined {
  const arn = parseArn(text);
  return arn?.service === service && arn.account !== '' ? arn : undefined;
}
