/**
 * `npm run supply-chain`: counts the dependencies, lists their licences, writes the bill of materials
 * of what is deployed or published, and asks the registry for known vulnerabilities.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPermissive, readLockFile } from './lock-file.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const root = new URL('../../', import.meta.url);
const out = new URL('dist/', root);

function npm(cwd: string | URL, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

const locked = readLockFile(new URL('package-lock.json', root));
const production = locked.filter(({ dev }) => !dev);
print(`${production.length} packages at run time, ${locked.length - production.length} more for development`);
const byLicence = Map.groupBy(locked, ({ license }) => license ?? 'none named');
for (const [licence, packages] of [...byLicence].sort((a, b) => b[1].length - a[1].length))
  print(`  ${String(packages.length).padStart(4)}  ${licence}${isPermissive(licence) ? '' : '  NOT ALLOWED'}`);

// npm leaves out of a bill without development dependencies whatever those need, too: so it is asked
// for the bill of a project that has none
const bare = mkdtempSync(join(tmpdir(), 'codec-server-sbom-'));
const { devDependencies: _, ...manifest } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
writeFileSync(join(bare, 'package.json'), JSON.stringify(manifest));
copyFileSync(new URL('package-lock.json', root), join(bare, 'package-lock.json'));
npm(bare, 'install', '--package-lock-only', '--offline', '--ignore-scripts', '--no-audit');
const sbom = npm(bare, 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only');
rmSync(bare, { recursive: true });
const components = (JSON.parse(sbom.stdout) as { components: unknown[] }).components.length;
mkdirSync(out, { recursive: true });
writeFileSync(new URL('sbom.cdx.json', out), sbom.stdout);
print(`dist/sbom.cdx.json: ${components} components`);

const audit = npm(root, 'audit', '--omit', 'dev', '--audit-level', 'high', '--json');
const report = JSON.parse(audit.stdout || '{}') as { metadata?: { vulnerabilities: Record<string, number> } };
if (report.metadata === undefined) {
  print('audit: the registry did not answer; nothing is known about vulnerabilities from this run');
} else {
  print(`audit: ${JSON.stringify(report.metadata.vulnerabilities)}`);
  if (audit.status !== 0) process.exitCode = 1;
}
if (components !== production.length) {
  print(`the bill of materials has ${components} components, the lock file ${production.length}`);
  process.exitCode = 1;
}
if (locked.some(({ license }) => !isPermissive(license))) process.exitCode = 1;
