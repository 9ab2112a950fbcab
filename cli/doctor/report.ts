/** Findings as text for people and as JSON for pipelines. */
import { printable, printableJson } from '../printable.ts';
import type { Finding } from './finding.ts';

const MARKS: Record<Finding['status'], { readonly mark: string; readonly color: number }> = {
  ok: { mark: '✓', color: 32 },
  warning: { mark: '!', color: 33 },
  failure: { mark: '✗', color: 31 },
  skipped: { mark: '–', color: 90 },
};

/** One finding: a line, and for what is wrong its cause and its fix. */
export function renderFinding(finding: Finding, colors: boolean): string {
  const { mark, color } = MARKS[finding.status];
  const paint = (text: string) => (colors ? `\u001b[${color}m${text}\u001b[0m` : text);
  const lines = [`${paint(mark)} ${finding.check.padEnd(15)} ${printable(finding.summary)}`];
  if (finding.cause !== undefined) lines.push(`    why  ${printable(finding.cause)}`);
  if (finding.fix !== undefined) lines.push(`    fix  ${printable(finding.fix)}`);
  return `${lines.join('\n')}\n`;
}

/** Whether nothing failed, and when it is meant strictly, nothing is to be warned of either. */
export function isHealthy(findings: readonly Finding[], strict: boolean): boolean {
  return !findings.some(({ status }) => status === 'failure' || (strict && status === 'warning'));
}

/** The last line. */
export function renderSummary(findings: readonly Finding[], strict = false): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const failures = count('failure');
  const warnings = count('warning');
  const parts = [
    `${count('ok')} ok`,
    plural(warnings, 'warning'),
    plural(failures, 'failure'),
    `${count('skipped')} skipped`,
  ];
  return `\n${isHealthy(findings, strict) ? 'All is well' : 'Not well'}: ${parts.join(', ')}\n`;
}

/** Everything as one JSON document. */
export function renderJson(endpoint: string, findings: readonly Finding[], strict = false): string {
  const healthy = isHealthy(findings, strict);
  return `${printableJson({ endpoint, healthy, findings })}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
