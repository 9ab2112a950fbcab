/** Which release this is. */
import { existsSync, readFileSync } from 'node:fs';

/** The version in the package's manifest, which is one folder further up from what is built. */
export function packageVersion(): string {
  const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
  const file = places.find((place) => existsSync(place));
  if (file === undefined) throw new Error('the package has lost its package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
