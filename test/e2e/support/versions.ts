/**
 * The clients and servers the suite runs against, each pinned where its own tools look for it: the npm lock of the
 * suite, the go.mod of the program that runs Temporal, and here what stands nowhere else.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suiteRoot } from './paths.ts';

const temporalModule = join(suiteRoot, 'temporal/go.mod');
const npmPackages = JSON.parse(readFileSync(join(suiteRoot, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

/** Versions without a leading `v`. */
export const versions = {
  /** The last release that `go install` accepts: later ones carry a replace directive. */
  temporalCli: '1.5.1',
  temporalServer: versionOfGoModule(temporalModule, 'go.temporal.io/server'),
  webUI: versionOfGoModule(temporalModule, 'github.com/temporalio/ui-server/v2'),
  typescriptSdk: npmPackages.dependencies['@temporalio/worker'] ?? 'unknown',
  /** The oldest Go that builds the Temporal server. */
  go: /^go (\S+)/m.exec(readFileSync(temporalModule, 'utf8'))?.[1] ?? 'unknown',
} as const;

/** The version of a module that a go.mod requires. */
export function versionOfGoModule(goMod: string, path: string): string {
  const line = readFileSync(goMod, 'utf8')
    .split('\n')
    .find((it) => it.includes(`${path} v`));
  return line?.split(' v')[1]?.split(' ')[0] ?? 'unknown';
}

/** A version that a pom.xml keeps in a property. */
export function versionOfMavenArtifact(pom: string, property: string): string {
  const text = readFileSync(pom, 'utf8');
  return text.split(`<${property}>`)[1]?.split('<')[0] ?? 'unknown';
}

/** The version of a package that a requirements.txt pins. */
export function versionInRequirements(file: string, name: string): string {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((it) => it.startsWith(`${name}==`));
  return line?.split('==')[1] ?? 'unknown';
}
