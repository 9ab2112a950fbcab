/** Documents that are to be put into secrets, checked by the code that will read them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { KeyDocumentError } from '../codec/errors.ts';
import { eraseStaticKeys, parseStaticKeySecret } from '../codec/keys/static/static-keys.ts';
import type { Problem } from '../config/problem.ts';
import { parseServiceTokens } from '../lambda/server/auth/service-tokens.ts';
import { parseSessionKeys } from '../lambda/server/sign-in/session-keys.ts';

/** By the option that names the file. */
const KINDS = {
  'service-tokens': parseServiceTokens,
  'static-keys': (versions: { readonly current: string }) => eraseStaticKeys(parseStaticKeySecret(versions)),
  'session-keys': ({ current }: { readonly current: string }) => parseSessionKeys({ current, previous: undefined }),
} as const;

/** The files to check, by their kind. */
export type DocumentFiles = Readonly<Partial<Record<keyof typeof KINDS, string | undefined>>>;

/** What is wrong with each; nothing of what stands in them. */
export function checkDocuments(files: DocumentFiles, cwd: string): Problem[] {
  return Object.entries(KINDS).flatMap(([kind, parse]) => {
    const file = files[kind as keyof typeof KINDS];
    const message = file === undefined ? undefined : problemOf(resolve(cwd, file), parse);
    return message === undefined ? [] : [{ path: `--${kind} ${file}`, message }];
  });
}

function problemOf(path: string, parse: (versions: { readonly current: string }) => unknown): string | undefined {
  try {
    parse({ current: readFileSync(path, 'utf8') });
    return undefined;
  } catch (error) {
    if (error instanceof KeyDocumentError)
      return `${error.message}. Put into the secret, it would end what is in force`;
    return `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
  }
}
