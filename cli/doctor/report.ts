/** Findings as text for people and as JSON for pipelines. */

import { printable, printableJson } from '../../config/printable.ts';
import type { NoAnswer } from './exchange.ts';

/** What a check found. */
export interface Finding {
  /** Stable, for pipelines: `cors-preflight`, `round-trip`, … */
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failure' | 'skipped';
  /** One line: what is so. */
  readonly summary: string;
  /** Why it is so, as far as it can be told from outside. Failures and warnings have it. */
  readonly cause?: string;
  /** What to do about it. Failures and warnings have it. */
  readonly fix?: string;
}

/** A check that passed. */
export function ok(check: string, summary: string): Finding {
  return { check, status: 'ok', summary };
}

/** A check that failed. */
export function failure(check: string, summary: string, cause: string, fix: string): Finding {
  return { check, status: 'failure', summary, cause, fix };
}

/** Something that works and will hurt. */
export function warning(check: string, summary: string, cause: string, fix: string): Finding {
  return { check, status: 'warning', summary, cause, fix };
}

/** A check that could not run, and why. */
export function skipped(check: string, summary: string): Finding {
  return { check, status: 'skipped', summary };
}

/** The finding for a request that brought nothing. */
export function unanswered(check: string, { error, message }: NoAnswer): Finding {
  return failure(
    check,
    `no answer (${error})`,
    message,
    'see the checks above; if they pass, read the server log for this time',
  );
}

/** Whether something is to be done about it. */
export function isWrong({ status }: Finding): boolean {
  return status === 'failure' || status === 'warning';
}

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
  return `\n${isHealthy(findings, strict) ? 'All is well' : 'Problems found'}: ${parts.join(', ')}\n`;
}

/** Everything as one JSON document. */
export function renderJson(endpoint: string, findings: readonly Finding[], strict = false): string {
  const healthy = isHealthy(findings, strict);
  return `${printableJson({ endpoint, healthy, findings })}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
