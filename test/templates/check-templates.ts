/**
 * Checks every synthesized template with cdk-nag (AwsSolutions), cfn-lint and checkov. A finding fails
 * unless its reason is written beside the construct (`lib/findings.ts`).
 *
 *     npm run check:templates
 *
 * The two Python programs are installed into `.cache` on the first run.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { PROJECT_ROOT } from '../../lib/bundle/bundle.ts';
import { addEnvironments, type Environment, findEnvironments } from '../../lib/codec-server-app.ts';
import { stackNameOf } from '../../lib/names.ts';
import { pythonEnvironment } from '../support/python.ts';

const PACKAGES = ['cfn-lint==1.58.0', 'checkov==3.3.30'];
const OUT = join(PROJECT_ROOT, '.cache', 'templates');

const tools = await pythonEnvironment('checks', PROJECT_ROOT, PACKAGES);

/** A finding in a template: a line. */
interface Finding {
  readonly template: string;
  readonly line: string;
}

/** Looks through all templates at once: the programs take longer to start than to check. */
type Checker = (templates: readonly string[]) => Promise<Finding[]>;

/** Runs a program to its end, whatever its exit code. */
async function run(
  program: string,
  args: readonly string[],
): Promise<{ failed: boolean; stdout: string; stderr: string }> {
  const options = { maxBuffer: 64 * 1024 * 1024 };
  return await promisify(execFile)(program, args, options).then(
    (printed) => ({ failed: false, ...printed }),
    ({ stdout, stderr, message }) => ({ failed: true, stdout: stdout ?? '', stderr: stderr || message }),
  );
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

const lint: Checker = async (templates) => {
  const { stdout, stderr, failed } = await run(join(tools, 'cfn-lint'), ['--format', 'parseable', ...templates]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (failed && lines.length === 0) throw new Error(`cfn-lint did not run: ${stderr}`);
  return lines.map((line) => ({ line, template: templates.find((template) => line.startsWith(template)) ?? '' }));
};

interface CheckovReport {
  readonly results: {
    readonly passed_checks: readonly { readonly file_abs_path: string }[];
    readonly failed_checks: readonly {
      readonly check_id: string;
      readonly check_name: string;
      readonly resource: string;
      readonly file_abs_path: string;
    }[];
  };
}

const checkov: Checker = async (templates) => {
  const { stdout, stderr } = await run(join(tools, 'checkov'), [
    '--framework',
    'cloudformation',
    ...templates.flatMap((template) => ['--file', template]),
    '--skip-download',
    '--compact',
    '--output',
    'json',
  ]);
  const printed = stdout.slice(stdout.search(/^\{/m));
  if (!printed.startsWith('{')) throw new Error(`checkov did not run: ${stderr || stdout}`);
  const { passed_checks, failed_checks } = (JSON.parse(printed) as CheckovReport).results;
  const seen = new Set([...passed_checks, ...failed_checks].map((it) => it.file_abs_path));
  for (const template of templates) if (!seen.has(template)) throw new Error(`checkov did not check ${template}`);
  return failed_checks.map((it) => ({
    template: it.file_abs_path,
    line: `${it.check_id}: ${it.check_name} (${it.resource})`,
  }));
};

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const own = await findEnvironments(join(PROJECT_ROOT, 'environments'));
const filledIn = await findEnvironments(join(PROJECT_ROOT, 'test', 'support', 'environments'));
const all = [...own.filter(({ name }) => name === 'dev'), ...filledIn];

const synthesized = all.map((environment) => {
  const { folder, findings } = synthesize(environment);
  return { name: environment.name, findings, template: join(folder, `${stackNameOf(environment.name)}.template.json`) };
});
const templates = synthesized.map(({ template }) => template);
const [linted, checked] = await Promise.all([lint(templates), checkov(templates)]);

let failed = 0;
const of = (findings: readonly Finding[], wanted: string) =>
  findings.filter(({ template }) => template === wanted).map(({ line }) => line);
/** Prints what a checker found in a template. */
function tell(where: string, checker: string, lines: readonly string[]): void {
  process.stdout.write(`${where}: ${checker}: ${lines.length === 0 ? 'no finding' : `${lines.length} findings`}\n`);
  for (const line of lines) process.stdout.write(`  ${line}\n`);
  failed += lines.length;
}
for (const { name, findings, template } of synthesized) {
  tell(name, 'cdk-nag', findings);
  tell(name, 'cfn-lint', of(linted, template));
  tell(name, 'checkov', of(checked, template));
}
const elsewhere = of(linted, '');
if (elsewhere.length > 0) tell('no template', 'cfn-lint', elsewhere);
process.exitCode = failed > 0 ? 1 : 0;
