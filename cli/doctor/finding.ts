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

/** Whether something is to be done about it. */
export function isWrong({ status }: Finding): boolean {
  return status === 'failure' || status === 'warning';
}
