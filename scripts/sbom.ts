/**
 * Writes `dist/sbom.cdx.json`, the bill of materials (CycloneDX) of what is deployed or published:
 * every package at run time, none that is for development. `npm pack` makes it part of a release.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../', import.meta.url);

/**
 * Writes the file from the lock file, without a network.
 *
 * @returns how many packages it lists
 * @throws Error when npm cannot make the bill
 */
export function writeSbom(): number {
  const { serialNumber: _, metadata, ...bill } = JSON.parse(npmSbom()) as Bill;
  // A random number and the time would make other bytes of the same package.
  const { timestamp: __, ...lasting } = metadata;
  mkdirSync(new URL('dist/', root), { recursive: true });
  const text = JSON.stringify({ ...bill, metadata: lasting }, null, 2);
  writeFileSync(new URL('dist/sbom.cdx.json', root), `${text}\n`);
  return bill.components.length;
}

/** What of a bill is changed or looked at. */
interface Bill {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string };
  readonly components: readonly unknown[];
}

/**
 * npm leaves out of a bill without development dependencies whatever those need, too: so it is asked
 * for the bill of a project that has none.
 */
function npmSbom(): string {
  const folder = mkdtempSync(join(tmpdir(), 'codec-server-sbom-'));
  // npm takes the folder's name for the package's.
  const bare = join(folder, 'temporal-codec-server');
  try {
    mkdirSync(bare);
    const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Record<string, unknown>;
    const { devDependencies: _, scripts: __, workspaces: ___, ...published } = manifest;
    writeFileSync(join(bare, 'package.json'), JSON.stringify(published));
    copyFileSync(new URL('package-lock.json', root), join(bare, 'package-lock.json'));
    npm(bare, 'install', '--package-lock-only', '--offline', '--ignore-scripts', '--no-audit');
    return npm(bare, 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function npm(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${stderr}`);
  return stdout;
}
