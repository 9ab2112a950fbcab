/** What goes wrong with KMS and the token issuer while a server is under soak: one after the other, in order between. */
import type { Mood } from '../support/https-stand-in.ts';
import type { KmsTrouble } from '../support/kms-stand-in.ts';
import type { Dependencies } from './server.ts';

export interface Fault {
  readonly name: string;
  readonly on: () => void;
  readonly off: () => void;
}

const KMS_TROUBLES: readonly [name: string, trouble: KmsTrouble][] = [
  ['KMS throttles', 'throttle'],
  ['KMS hangs', 'hang'],
  ['KMS cuts connections', 'reset'],
  ['KMS talks nonsense', 'garbage'],
];
const ISSUER_MOODS: readonly [name: string, mood: Mood][] = [
  ['the issuer is down', { kind: 'cut-off' }],
  ['the issuer hangs', { kind: 'hangs' }],
];

export function faultsOf({ kms, issuer }: Dependencies): readonly Fault[] {
  return [
    ...KMS_TROUBLES.map(([name, trouble]) => ({
      name,
      on: () => {
        kms.trouble = () => trouble;
      },
      off: () => {
        kms.trouble = () => 'ok';
      },
    })),
    ...ISSUER_MOODS.map(([name, mood]) => ({
      name,
      on: () => {
        issuer.mood = mood;
      },
      off: () => {
        issuer.mood = { kind: 'in-order' };
      },
    })),
  ];
}
