import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isPermissive, readLockFile } from './lock-file.ts';

const root = new URL('../../', import.meta.url);
const locked = readLockFile(new URL('package-lock.json', root));
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies?: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const direct = { ...manifest.dependencies, ...manifest.devDependencies };

describe('the supply chain', () => {
  it('pins every package by its content', () => {
    const loose = locked.filter(({ integrity, inBundle }) => !inBundle && !/^sha512-/.test(integrity ?? ''));
    expect(loose.map(({ path }) => path)).toEqual([]);
  });

  it('pins every direct dependency to one exact version', () => {
    for (const [name, version] of Object.entries(direct))
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+(-[\w.]+)?$/)]);
  });

  it('uses permissive licenses only', () => {
    expect(
      locked.filter(({ license }) => !isPermissive(license)).map(({ path, license }) => `${path}: ${license}`),
    ).toEqual([]);
  });

  it('would notice a license that is none of them', () => {
    expect(['GPL-3.0-only', '(MIT AND GPL-3.0-only)', undefined, 'UNLICENSED'].map(isPermissive)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(['MIT', '(MIT OR GPL-3.0-or-later)', 'Apache-2.0 AND MIT'].map(isPermissive)).toEqual([true, true, true]);
  });

  it('says of every package with an install script whether it runs, so that npm warns of none', () => {
    const wantsToRun = locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
    expect([...new Set(wantsToRun)].sort()).toEqual(Object.keys(manifest.allowScripts).sort());
  });

  it('says how many packages run, and how many of them are direct', () => {
    const page = readFileSync(new URL('docs/dependencies.md', root), 'utf8');
    const packages = locked.filter(({ dev }) => !dev).length;
    expect(page).toContain(`${packages} packages, ${Object.keys(manifest.dependencies).length} of them direct`);
  });

  it('justifies every direct dependency in one line, and lists none that is gone', () => {
    const page = readFileSync(new URL('docs/dependencies.md', root), 'utf8');
    const listed = [...page.matchAll(/^\| `([^`]+)` +\| (.+?) +\|$/gm)].map(([, name, why]) => ({ name, why }));
    expect(listed.map(({ name }) => name).sort()).toEqual(Object.keys(direct).sort());
    for (const { why } of listed) expect(why).toMatch(/\w+ \w+ \w+/);
  });
});
