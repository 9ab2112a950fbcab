/**
 * Findings of template checkers that stand, each with its reason, written beside the construct that
 * they are about. cdk-nag, checkov and cfn-lint each learn of them in their own way.
 */
import * as cdk from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** A checker's rule, such as `AwsSolutions-APIG4` (cdk-nag), `CKV_AWS_309` (checkov) or `W3005` (cfn-lint). */
export type RuleId = `AwsSolutions-${string}` | `CKV${string}` | `${'E' | 'W' | 'I'}${number}`;

/**
 * Accepts findings on a construct.
 *
 * @param reason why it is right as it is; read by auditors in the template
 * @throws Error when the construct makes no resource
 */
export function acceptFindings(construct: IConstruct, rules: readonly RuleId[], reason: string): void {
  // cdk-nag reads the construct's acknowledgments, where the CDK of the app has them.
  const { Validations } = cdk as Partial<Pick<typeof cdk, 'Validations'>>;
  for (const rule of rules) {
    if (rule.startsWith('AwsSolutions-')) Validations?.of(construct).acknowledge({ id: rule, reason });
    else acceptInTemplate(resourceOf(construct), rule, reason);
  }
}

/** checkov and cfn-lint read the resource's metadata. */
function acceptInTemplate(resource: cdk.CfnResource, rule: RuleId, reason: string): void {
  if (rule.startsWith('CKV')) {
    const before = (resource.getMetadata('checkov') as { skip: object[] } | undefined)?.skip ?? [];
    resource.addMetadata('checkov', { skip: [...before, { id: rule, comment: reason }] });
    return;
  }
  type LintConfig = { config: { ignore_checks: string[] }; reasons: Record<string, string> };
  const before = resource.getMetadata('cfn-lint') as LintConfig | undefined;
  resource.addMetadata('cfn-lint', {
    config: { ignore_checks: [...(before?.config.ignore_checks ?? []), rule] },
    reasons: { ...before?.reasons, [rule]: reason },
  });
}

function resourceOf(construct: IConstruct): cdk.CfnResource {
  const resource = cdk.CfnResource.isCfnResource(construct) ? construct : construct.node.defaultChild;
  if (resource === undefined || !cdk.CfnResource.isCfnResource(resource)) {
    throw new Error(`${construct.node.path} makes no resource that a checker could find anything about`);
  }
  return resource;
}
