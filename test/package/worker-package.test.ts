/** The manifest of the package for workers says the same as that of the server's package, which brings the same code. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const read = (file: string): Manifest =>
  JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')) as Manifest;
const server = read('package.json');
const worker = read('codec/package.json');

/** Whether a version is in a caret range of a version from 1. */
function within(version: string, range: string): boolean {
  const [given = [], least = []] = [version, range.replace('^', '')].map((it) => it.split('.').map(Number));
  const difference = given.map((part, i) => part - (least[i] ?? 0)).find((it) => it !== 0) ?? 0;
  return given[0] === least[0] && difference >= 0;
}

describe('the package for workers', () => {
  it('has the version of the server', () => {
    expect(worker.version).toBe(server.version);
  });

  it('needs what the codec needs of the server’s packages, in caret ranges that hold the tested versions', () => {
    expect(Object.keys(worker.dependencies)).toEqual([
      '@aws-sdk/client-kms',
      '@aws-sdk/client-secrets-manager',
      '@aws-sdk/nested-clients',
      'long',
    ]);
    for (const [name, range] of Object.entries(worker.dependencies)) {
      expect(range).toMatch(/^\^[1-9]/);
      expect([name, within(server.dependencies[name] ?? '', range)]).toEqual([name, true]);
    }
    expect([within('3.9.1', '^3.10.0'), within('4.0.0', '^3.10.0'), within('3.10.1', '^3.10.0')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('takes the versions of the SDK that the server’s package takes', () => {
    expect(worker.peerDependencies).toEqual({ '@temporalio/common': server.peerDependencies['@temporalio/common'] });
  });

  it('exports what a worker imports from the server’s package', () => {
    const places = (exported: unknown) => JSON.stringify(exported).replaceAll('dist/codec/', 'dist/');
    for (const path of ['.', './failure-converter'])
      expect(places(worker.exports[path])).toBe(places(server.exports[path]));
    expect(Object.keys(server.exports)).toEqual(expect.arrayContaining(Object.keys(worker.exports)));
  });
});
