/** What the lock file says of every installed package. */
import { readFileSync } from 'node:fs';

/** A package as the lock file pins it. */
export interface LockedPackage {
  /** Its place, such as `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
  readonly integrity: string | undefined;
  /** Only for development: never deployed, never installed by users of the package. */
  readonly dev: boolean;
  /** Shipped inside another package, whose integrity covers it. */
  readonly inBundle: boolean;
  readonly hasInstallScript: boolean;
}

interface LockEntry {
  readonly name?: string;
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly inBundle?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

/** Reads a lock file (version 3). Packages of this repository, such as a workspace, are none that is installed. */
export function readLockFile(file: URL): LockedPackage[] {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockEntry> };
  return Object.entries(packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .map(([path, entry]) => ({
      path,
      name: entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version,
      license: entry.license,
      integrity: entry.integrity,
      dev: entry.dev === true || entry.devOptional === true,
      inBundle: entry.inBundle === true,
      hasInstallScript: entry.hasInstallScript === true,
    }));
}

/** Licenses under which a package may be used here: permissive ones. */
const PERMISSIVE = new Set([
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'CC-BY-4.0',
  'Python-2.0',
]);

/** Whether an SPDX expression (of the simple forms that packages use) permits use here. */
export function isPermissive(license: string | undefined): boolean {
  if (license === undefined) return false;
  const expression = license.replace(/^\((.*)\)$/, '$1');
  if (expression.includes(' OR ')) return expression.split(' OR ').some(isPermissive);
  return expression.split(' AND ').every((part) => PERMISSIVE.has(part));
}
