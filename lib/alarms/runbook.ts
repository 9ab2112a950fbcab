/** Where an alarm's row in the runbook is. */

/** The page in this repository; `alarms.runbookUrl` of an environment names a copy that a browser can open. */
const RUNBOOK = 'docs/operate.md';

/** The address of the row about an alarm: `docs/operate.md#not-served` for `NotServed`. */
export function runbookAddress(alarmId: string, runbook: string = RUNBOOK): string {
  const anchor = alarmId.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
  return `${runbook}#${anchor}`;
}
