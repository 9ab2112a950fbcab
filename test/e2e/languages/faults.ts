/** The faults of KMS that the table puts a worker to, each on keys of its own so that all can run side by side. */
import type { KmsStandIn, KmsTrouble } from '../../support/kms-stand-in.ts';

/** How KMS goes wrong for a while. */
export interface Fault {
  /** As the table says it. */
  readonly name: string;
  readonly trouble: KmsTrouble;
  /** Whether calls succeed in the end without anybody mending anything: then no task may fail. */
  readonly passes: boolean;
}

export const FAULTS: readonly Fault[] = [
  { name: 'denied', trouble: { exception: 'AccessDeniedException' }, passes: false },
  { name: '500', trouble: { exception: 'KMSInternalException', status: 500 }, passes: false },
  { name: 'slow (1.5 s)', trouble: { delayMs: 1500 }, passes: true },
  { name: 'hanging', trouble: 'hang', passes: false },
];

/** Where a worker meets the fault. */
export const PHASES = ['input', 'signal', 'result'] as const;
export type Phase = (typeof PHASES)[number];

/** One fault in one phase, with the key that it is about. */
export interface FaultCell {
  readonly fault: Fault;
  readonly phase: Phase;
  readonly arn: string;
}

/** Every fault in every phase, each under a new key. */
export function faultCells(kms: KmsStandIn): FaultCell[] {
  return FAULTS.flatMap((fault) => PHASES.map((phase) => ({ fault, phase, arn: kms.createKey() })));
}

/** Lets the keys of the cells go wrong until {@link mend}. */
export function breakKeys(kms: KmsStandIn, cells: readonly FaultCell[], spare: ReadonlySet<string>): void {
  const troubles = new Map(cells.map(({ arn, fault }) => [arn, fault.trouble]));
  // The client that writes inputs and signals makes data keys under the same keys: only reading them is in trouble.
  kms.trouble = ({ keyId = '', operation }) =>
    operation === 'GenerateDataKey' && spare.has(keyId) ? 'ok' : (troubles.get(keyId) ?? 'ok');
}

export function mend(kms: KmsStandIn): void {
  kms.trouble = () => 'ok';
}
