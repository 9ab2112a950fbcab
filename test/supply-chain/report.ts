/**
 * `npm run supply-chain [-- --require-audit]`: counts the dependencies, lists their licenses, writes the
 * bill of materials of what is deployed or published, and asks the registry for known vulnerabilities.
 * A registry that cannot say (a mirror without the audit endpoint, no network) fails it only with
 * `--require-audit`, which belongs in the pipeline of a release.
 */
import { spawnSync } from 'node:child_process';
import { runnerOptions } from '../../scripts/runner-options.ts';
import { writeSbom } from '../../scripts/sbom.ts';
import { isPermissive, readLockFile } from './lock-file.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const root = new URL('../../', import.meta.url);
const USAGE = `
Usage: npm run supply-chain [-- options]

  --require-audit   fail where the registry cannot say which vulnerabilities are known
  --help
`;
const { values } = runnerOptions(USAGE, { options: { 'require-audit': { type: 'boolean', default: false } } });

function npm(cwd: string | URL, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

const locked = readLockFile(new URL('package-lock.json', root));
const production = locked.filter(({ dev }) => !dev);
print(`${production.length} packages at run time, ${locked.length - production.length} more for development`);
const byLicense = Map.groupBy(locked, ({ license }) => license ?? 'none named');
for (const [license, packages] of [...byLicense].sort((a, b) => b[1].length - a[1].length))
  print(`  ${String(packages.length).padStart(4)}  ${license}${isPermissive(license) ? '' : '  NOT ALLOWED'}`);

const components = writeSbom();
print(`dist/sbom.cdx.json: ${components} components`);

interface AuditReport {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  /** Why there is no report. */
  readonly message?: string;
}

const audit = npm(root, 'audit', '--omit', 'dev', '--audit-level', 'high', '--json');
const report = JSON.parse(audit.stdout || '{}') as AuditReport;
if (report.metadata === undefined) {
  print(
    `audit: nothing is known about vulnerabilities from this run: ${report.message ?? 'the registry did not answer'}`,
  );
  print('       run it where the registry has the audit endpoint, such as https://registry.npmjs.org itself');
  if (values['require-audit']) process.exitCode = 1;
} else {
  print(`audit: ${JSON.stringify(report.metadata.vulnerabilities)}`);
  if (audit.status !== 0) process.exitCode = 1;
}
if (components !== production.length) {
  print(`the bill of materials has ${components} components, the lock file ${production.length}`);
  process.exitCode = 1;
}
if (locked.some(({ license }) => !isPermissive(license))) process.exitCode = 1;
