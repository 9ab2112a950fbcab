/**
 * Where the failure converter is, for the `failureConverterPath` of a data converter.
 *
 * @throws CodecOptionsError when it is not there: this module was bundled into another file
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodecOptionsError } from './errors.ts';

/** Where the packages that bring this module export it: the worker's, and the server's. */
const EXPORTED = ['temporal-codec-server-worker/failure-converter', 'temporal-codec-server/failure-converter'];

/** Asked when a data converter is made, not when this module is loaded: a bundle may hold it and never ask. */
export function failureConverterPath(): string {
  const file = thisFile();
  const path = file && (besideThisModule(file) ?? asInstalled(file));
  if (path !== undefined) return path;
  throw new CodecOptionsError(
    `the failure converter is not beside this code: mark temporal-codec-server-worker as external where you bundle, or give the data converter a failureConverterPath, the file of ${EXPORTED[0]}`,
  );
}

/** The file that this code is in: this module's or a bundle's. A bundler that writes CommonJS leaves `import.meta` empty. */
function thisFile(): string | undefined {
  const { url } = import.meta as { readonly url?: string };
  if (url !== undefined) return url.startsWith('file:') ? fileURLToPath(url) : undefined;
  return typeof __filename === 'string' ? __filename : undefined;
}

/** With the same extension as this module: `.ts` in the sources, `.js` when built. */
function besideThisModule(file: string): string | undefined {
  const path = join(dirname(file), `failure-converter${extname(file)}`);
  return existsSync(path) ? path : undefined;
}

/** What a bundler took in is installed as a rule where the bundle runs. */
function asInstalled(file: string): string | undefined {
  const { resolve } = createRequire(file);
  for (const name of EXPORTED) {
    try {
      return resolve(name);
    } catch {
      // the other one, or none
    }
  }
  return undefined;
}
