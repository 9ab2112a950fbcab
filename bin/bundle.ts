/** `npm run bundle`: bundles every environment's function, and says how large it is and of what. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunction, PROJECT_ROOT } from '../lib/bundle/bundle.ts';
import { bundleBudget, bundleReport, formatBundleReport } from '../lib/bundle/bundle-report.ts';
import { findEnvironments } from '../lib/codec-server-app.ts';

const folder = mkdtempSync(join(tmpdir(), 'codec-bundle-'));
try {
  for (const { name, file, config } of await findEnvironments(join(PROJECT_ROOT, 'environments'))) {
    const metafile = bundleFunction({ configFile: file, config, environment: name, outdir: join(folder, name) });
    const report = bundleReport(metafile);
    process.stdout.write(`${formatBundleReport(name, report, bundleBudget(config))}\n\n`);
    if (report.bytes > bundleBudget(config)) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
