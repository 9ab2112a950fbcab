/**
 * Checks every synthesized template with cdk-nag (AwsSolutions), cfn-lint and checkov. A finding fails
 * unless its reason is written beside the construct (`lib/findings.ts`).
 *
 *     npm run check:templates
 *
 * The two Python programs are installed into `.cache` on the first run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { addEnvironments, type Environment, findEnvironments } from '../../lib/codec-server-app.ts';
import { stackNameOf } from '../../lib/names.ts';
import { pythonEnvironment } from '../support/python.ts';

const PACKAGES = ['cfn-lint==1.58.0', 'checkov==3.3.30'];
const OUT = join(PROJECT_ROOT, '.cache', 'templates');

const tools = await pythonEnvironment('checks', PROJECT_ROOT, PACKAGES);

/** Findings of one checker in one template, each a line. */
type Checker = (template: string) => string[];

function run(program: string, args: readonly string[]) {
  return spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

/** What the CDK's validation writes into the assembly when a plug-in finds something. */
interface ValidationReport {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly description: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

/** Synthesizes an environment under cdk-nag. */
function synthesize(environment: Environment): { folder: string; findings: string[] } {
  const folder = join(OUT, environment.name);
  const app = new App({
    outdir: folder,
    analyticsReporting: false,
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  addEnvironments(app, [environment]);
  try {
    app.synth();
    return { folder, findings: [] };
  } catch (error) {
    const file = join(folder, 'validation-report.json');
    if (!existsSync(file)) throw error;
    const { pluginReports } = JSON.parse(readFileSync(file, 'utf8')) as ValidationReport;
    const findings = pluginReports.flatMap(({ violations }) =>
      violations.map(({ ruleName, description, violatingConstructs }) => {
        const places = violatingConstructs.map(({ constructPath }) => constructPath).join(', ');
        return `${ruleName}: ${description} (${places})`;
      }),
    );
    return { folder, findings };
  }
}

const lint: Checker = (template) => {
  const { stdout, stderr, status } = run(join(tools, 'cfn-lint'), ['--format', 'parseable', template]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return status === 0 || lines.length > 0 ? lines : [`cfn-lint did not run: ${stderr}`];
};

interface CheckovReport {
  readonly results: {
    readonly failed_checks: readonly {
      readonly check_id: string;
      readonly check_name: string;
      readonly resource: string;
    }[];
  };
}

const checkov: Checker = (template) => {
  const { stdout, stderr } = run(join(tools, 'checkov'), [
    '--framework',
    'cloudformation',
    '--file',
    template,
    '--skip-download',
    '--quiet',
    '--compact',
    '--output',
    'json',
  ]);
  try {
    const { results } = JSON.parse(stdout) as CheckovReport;
    return results.failed_checks.map((it) => `${it.check_id}: ${it.check_name} (${it.resource})`);
  } catch {
    return [`checkov did not run: ${stderr || stdout}`];
  }
};

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const own = await findEnvironments(join(PROJECT_ROOT, 'environments'));
const filledIn = await findEnvironments(join(PROJECT_ROOT, 'test', 'support', 'environments'));
const all = [...own.filter(({ name }) => name === 'dev'), ...filledIn];

let failed = 0;
for (const environment of all) {
  const { folder, findings } = synthesize(environment);
  const template = join(folder, `${stackNameOf(environment.name)}.template.json`);
  for (const [checker, lines] of [
    ['cdk-nag', findings],
    ['cfn-lint', lint(template)],
    ['checkov', checkov(template)],
  ] as const) {
    process.stdout.write(
      `${environment.name}: ${checker}: ${lines.length === 0 ? 'no finding' : `${lines.length} findings`}\n`,
    );
    for (const line of lines) process.stdout.write(`  ${line}\n`);
    failed += lines.length;
  }
}
process.exitCode = failed > 0 ? 1 : 0;
