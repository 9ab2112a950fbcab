/** The rows of the table, in its order. */
import { FAULTS, type Fault, PHASES, type Phase } from './faults.ts';

export const ROWS = {
  success: 'success leaves nothing readable',
  failure: 'failure leaves nothing readable',
  rotation: 'rotation: without the new key the task waits, with it the workflow completes',
  cached: 'payloads with a key in memory go on while KMS hangs',
  history: 'a history of 1,100 data keys at 20 ms a call, replayed twice',
  nexus: 'another namespace by Nexus',
  compression: 'compression inside',
  namespace: 'wrong namespace: refused by name, then read with also-decode',
  alive: 'the worker still works at the end',
} as const;

/** The row of one fault in one phase. */
export function faultRow(fault: Fault, phase: Phase): string {
  return `KMS ${fault.name} on ${phase}`;
}

/** Every row, in the order of the page. */
export const ALL_ROWS: readonly string[] = [
  ROWS.success,
  ROWS.failure,
  ROWS.rotation,
  ...FAULTS.flatMap((fault) => PHASES.map((phase) => faultRow(fault, phase))),
  ROWS.cached,
  ROWS.history,
  ROWS.nexus,
  ROWS.compression,
  ROWS.namespace,
  ROWS.alive,
];
