/**
 * A replay: it reads as ever, and what it writes is stored nowhere. So its payloads are encrypted for
 * nobody, without a call to a key service, and its failures stay readable: the error of a replay is where
 * they are read.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DataKey } from '../keys/data-key.ts';
import type { KeySource } from '../keys/key-source.ts';
import { REPLAY_NAME } from './failure-parts.ts';

const NOBODY = [{ providerId: 'replay', providerInfo: new Uint8Array(0), ciphertext: new Uint8Array(32) }];

/** The same keys for reading; what is written is for nobody, under a key that is forgotten at once. */
export function forReplay(keys: KeySource): KeySource {
  const dataKey = (): DataKey => {
    const key = new DataKey('replay', randomBytes(32)).acquire();
    key.destroy();
    return key;
  };
  return {
    ...(keys.unwraps && { unwraps: keys.unwraps }),
    unwrap: (request, context) => keys.unwrap(request, context),
    materialsFor: () => ({ dataKey: dataKey(), encryptedDataKeys: NOBODY }),
  };
}

/** A workflow bundle, as the SDK takes it. */
export interface WorkflowBundle {
  readonly code?: string;
  readonly codePath?: string;
}

/** Tells the failure converter of the bundle, in the sandbox of the workflow, that it is replayed. */
const STATEMENT = `globalThis[Symbol.for(${JSON.stringify(REPLAY_NAME)})] = true;`;
/** The SDK takes the source map from the last of these. */
const SOURCE_MAP = '//# sourceMappingURL=data:';

/** A copy of the bundle whose failures stay readable. */
export function bundleForReplay(bundle: WorkflowBundle): WorkflowBundle {
  const text = codeOf(bundle);
  const sourceMap = text.lastIndexOf(SOURCE_MAP);
  const end = sourceMap === -1 ? text.length : sourceMap;
  // On a line of its own, so that the source map still fits what is before it.
  const before = text.slice(0, end);
  return { code: `${before}${before.endsWith('\n') ? '' : '\n'}${STATEMENT}\n${text.slice(end)}` };
}

/** Whether it was made by {@link bundleForReplay}: a worker that stores failures must not run it. */
export function isForReplay(code: string): boolean {
  return code.includes(STATEMENT);
}

/** The code of a bundle, whichever way it is given. */
export function codeOf({ code, codePath }: WorkflowBundle): string {
  return code ?? (codePath === undefined ? '' : readFileSync(codePath, 'utf8'));
}
