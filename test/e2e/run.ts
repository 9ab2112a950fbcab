/**
 * `npm run test:e2e [-- GROUP …]`: installs what the groups need, runs those with a browser beside those without, and
 * writes down what passed. `--list` names the groups, `--prepare` only installs, `--write-docs` brings
 * docs/compatibility.md and docs/images up to date.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { runnerOptions } from '../../scripts/runner-options.ts';
import { type Group, groups, type ToolName, toolbox } from './groups.ts';
import { type Check, compatibilityPage } from './support/compatibility.ts';
import { artifactRoot, projectRoot, suiteRoot } from './support/paths.ts';
import { run as runProgram } from './support/processes.ts';
import { MissingTool } from './support/tools.ts';
import { keptTraffic } from './support/traffic.ts';

const USAGE = `
Usage: npm run test:e2e [-- GROUP … --list --prepare --write-docs]

Runs Temporal's own server, clients and Web UI against the codec server. Without a GROUP it runs all.

  --list         name the groups
  --prepare      only install and build what the groups need
  --write-docs   bring docs/compatibility.md and docs/images up to date; needs all groups
  --help

CODEC_SERVER_CACHE and CODEC_SERVER_ARTIFACTS name other folders than .cache and .cache/e2e.
Exit code: 0 all passed, 1 something failed, 2 wrong usage.
`;

/** Screenshots that the documentation shows. */
const PICTURES = ['without-codec-server', 'history', 'denied'];

type Print = (line: string) => void;
const print: Print = (line) => void process.stdout.write(`${line}\n`);
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** Installs every tool the groups need. Builds keep a core busy and downloads wait for the network, so two at a time. */
async function prepare(wanted: readonly Group[]): Promise<Map<ToolName, Error>> {
  const missing = new Map<ToolName, Error>();
  const queue = [...new Set(wanted.flatMap((group) => group.needs))];
  const work = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const begin = performance.now();
      try {
        await toolbox[name]();
        print(`ready    ${name} (${seconds(performance.now() - begin)})`);
      } catch (error) {
        missing.set(name, error as Error);
        print(`MISSING  ${name}: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all([work(), work()]);
  return missing;
}

/** Runs groups one after another; prints what became of a group when it ends, so that two lanes do not mix. */
async function runLane(lane: readonly Group[], missing: ReadonlyMap<ToolName, Error>): Promise<Check[]> {
  const checks: Check[] = [];
  for (const group of lane) {
    const lines = [`\n${group.name}: ${group.shows}`];
    const lacking = group.needs.find((name) => missing.has(name));
    if (lacking === undefined) checks.push(...(await check(group, (line) => lines.push(line))));
    else {
      const reason = missing.get(lacking);
      const notes = [reason instanceof MissingTool ? reason.message : `${lacking} could not be made`];
      checks.push({ group: group.name, client: lacking, name: 'can run here', passed: false, milliseconds: 0, notes });
      lines.push(`  FAIL  cannot run here: ${notes[0]}`);
    }
    print(lines.join('\n'));
  }
  return checks;
}

/** Runs one file of checks in a process of its own. */
async function check(group: Group, tell: Print): Promise<Check[]> {
  const checks: Check[] = [];
  const events = run({ files: [join(suiteRoot, group.file)], concurrency: 1, timeout: 30 * 60_000 });
  const clients: string[] = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') clients[data.nesting] = data.name;
    if (type === 'test:diagnostic' && data.nesting > 0) checks.at(-1)?.notes.push(data.message);
    if (type === 'test:stdout' || type === 'test:stderr') process.stderr.write(data.message);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const passed = type === 'test:pass';
    const failure = passed ? undefined : (data.details.error as Error & { failureType?: string });
    // A suite fails with its checks, which have said so, or by itself: in what it sets up, say.
    if (data.details.type === 'suite' && (passed || failure?.failureType === 'subtestsFailed')) continue;
    if (data.file !== undefined && data.name === data.file) continue;
    checks.push({
      group: group.name,
      client: clients[0] ?? group.name,
      name: data.name,
      passed,
      milliseconds: data.details.duration_ms,
      notes: [],
    });
    tell(`${passed ? '  ok    ' : '  FAIL  '}${data.name} (${seconds(data.details.duration_ms)})`);
    if (failure !== undefined && failure.failureType !== 'cancelledByParent') tell(indent(reasonOf(failure)));
  }
  return checks;
}

function needsBrowser({ needs }: Group): boolean {
  return needs.includes('Chromium');
}

/** Brings the page and its pictures up to date. */
function writeDocs(page: string): void {
  const docs = join(projectRoot, 'docs');
  mkdirSync(join(docs, 'images'), { recursive: true });
  writeFileSync(join(docs, 'compatibility.md'), page);
  for (const name of PICTURES) {
    copyFileSync(join(artifactRoot, 'screenshots', 'payload', `${name}.png`), join(docs, 'images', `${name}.png`));
  }
}

/** The suite has a tsconfig of its own, since its packages are not the project's. */
async function checkTypes(): Promise<Check> {
  const begin = performance.now();
  const { code, stdout } = await runProgram('npx', ['tsc', '-p', suiteRoot], { cwd: projectRoot, timeout: 600_000 });
  const milliseconds = performance.now() - begin;
  if (code !== 0) print(indent(stdout));
  print(`\n${code === 0 ? '  ok    ' : '  FAIL  '}the suite's types (${seconds(milliseconds)})`);
  return {
    group: 'suite',
    client: 'The suite itself',
    name: 'has sound types',
    passed: code === 0,
    milliseconds,
    notes: [],
  };
}

function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.stack ?? String(cause);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '        ');
}

async function main(): Promise<number> {
  const { values, positionals } = runnerOptions(USAGE, {
    allowPositionals: true,
    options: { list: { type: 'boolean' }, prepare: { type: 'boolean' }, 'write-docs': { type: 'boolean' } },
  });
  if (values.list) {
    for (const { name, shows } of groups) print(`${name.padEnd(16)} ${shows}`);
    return 0;
  }
  const unknown = positionals.find((name) => !groups.some((group) => group.name === name));
  if (unknown !== undefined) {
    print(`There is no group "${unknown}". The groups: ${groups.map(({ name }) => name).join(', ')}.`);
    return 2;
  }
  if (values['write-docs'] && positionals.length > 0) {
    print('--write-docs needs a run of all groups: leave the names of groups out.');
    return 2;
  }
  const wanted = positionals.length === 0 ? groups : groups.filter(({ name }) => positionals.includes(name));

  const begin = performance.now();
  rmSync(artifactRoot, { recursive: true, force: true });
  mkdirSync(artifactRoot, { recursive: true });
  print('Preparing: the first time this downloads and builds clients of Temporal, which takes some minutes.');
  const missing = await prepare(wanted);
  if (values.prepare) return missing.size === 0 ? 0 : 1;

  const checks: Check[] = [];
  if (!missing.has('npm packages of the suite')) checks.push(await checkTypes());
  // Both lanes wait for servers most of their time: together they keep two cores busy.
  const [browsers, others] = [wanted.filter(needsBrowser), wanted.filter((group) => !needsBrowser(group))];
  const lanes = await Promise.all([runLane(others, missing), runLane(browsers, missing)]);
  const order = new Map(groups.map(({ name }, i) => [name, i]));
  checks.push(...lanes.flat().sort((a, b) => (order.get(a.group) ?? 0) - (order.get(b.group) ?? 0)));
  writeFileSync(join(artifactRoot, 'results.json'), `${JSON.stringify(checks, null, 2)}\n`);
  if (wanted.length === groups.length) {
    const page = compatibilityPage(
      checks.filter(({ group }) => group !== 'suite'),
      keptTraffic(),
    );
    writeFileSync(join(artifactRoot, 'compatibility.md'), page);
    if (values['write-docs']) writeDocs(page);
  }

  const failed = checks.filter(({ passed }) => !passed).length;
  print(`\n${checks.length - failed} passed, ${failed} failed, in ${seconds(performance.now() - begin)}`);
  return failed === 0 && checks.length > 0 ? 0 : 1;
}

process.exitCode = await main();
