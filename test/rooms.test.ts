import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Who may import from whom, besides themselves. What a room may not know, it cannot leak, load or break. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  bin: ['cli', 'lib', 'lambda', 'codec', 'config'],
  cli: ['lambda', 'codec', 'config'],
  // Knows the Lambda by file path only, so that no part of the server is loaded to deploy it.
  lib: ['config'],
  lambda: ['codec', 'config'],
  config: ['codec'],
  codec: [],
};

/** Packages that may only be imported by these files, so that each can be replaced or left unloaded. */
const KEPT_APART: readonly (readonly [packages: RegExp, files: RegExp])[] = [
  [/^@aws-sdk\/client-kms/, /^codec\/keys\/kms(-client)?\.ts$/],
  [/^@aws-sdk\/client-secrets-manager/, /^codec\/keys\/secrets-manager(-client)?\.ts$/],
  [/^@aws-sdk\/nested-clients\/sts/, /^codec\/keys\/(assume-role|sts-client)\.ts$/],
  [/^@aws-sdk\/client-s3/, /^lambda\/storage\/s3(-client)?\.ts$/],
  [/^(@aws-sdk|@smithy|aws-sdk)/, /^(codec\/keys\/|lambda\/storage\/s3(-client)?\.ts$)/],
  [/^aws-jwt-verify/, /^lambda\/auth\/tokens\.ts$/],
  [/^openid-client/, /^lambda\/sign-in\/provider\.ts$/],
  [/^(aws-lambda|@middy)/, /^lambda\/(api-gateway|lambda-handler)\.ts$/],
  [/^(aws-cdk-lib|constructs|cdk-nag)/, /^(lib|bin)\//],
  [/^@temporalio\/proto/, /^$/],
  [/^node:http$/, /^(lambda\/local(-server\.ts|\/)|cli\/doctor\/)/],
  [/^node:(https|http2|net|tls|dns)$/, /^(lambda\/local(-server\.ts|\/)|lambda\/auth\/https-get\.ts$|cli\/doctor\/)/],
  [/^node:(child_process|worker_threads|cluster|vm)$/, /^lib\//],
];

/** The function's own entry, and its provider of credentials, which stands in for the SDK's in the bundle. */
const LAMBDA_ENTRY: ReadonlySet<string> = new Set([
  join('lambda', 'handler.ts'),
  join('lambda', 'lambda-credentials.ts'),
]);

const ROOT = join(import.meta.dirname, '..');

/** Source files of a room, by their path from the root. */
function filesOf(room: string): string[] {
  return readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .map((file) => join(room, file))
    .filter((file) => /\.m?[jt]s$/.test(file));
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The code of a file without comments and without what stands in template texts. */
function codeOf(file: string): string {
  return textOf(file)
    .replace(/^\s*(\/\*\*?|\*).*$/gm, '')
    .replace(/(^|\s)\/\/.*$/gm, '')
    .replace(/`(?:\\.|[^`\\])*`/g, '``');
}

/** What a file imports: packages by name, files by their path from the root. */
function importsOf(file: string): string[] {
  const statements = codeOf(file).matchAll(
    /(?:^(?:import|export)\b[^;]*?\bfrom\s*|^import\s*|\bimport\(\s*)'([^']+)'/gm,
  );
  return [...statements].map(([, source = '']) =>
    source.startsWith('.') ? normalize(join(dirname(file), source)) : source,
  );
}

describe('the rooms of the code', () => {
  it.each(Object.entries(ROOMS))('%s imports from no room but %j', (room, allowed) => {
    const strangers = filesOf(room).flatMap((file) =>
      importsOf(file)
        .filter((source) => Object.hasOwn(ROOMS, source.split('/')[0] ?? '') || source.startsWith('..'))
        .filter((source) => ![room, ...allowed].includes(source.split('/')[0] ?? ''))
        .map((source) => `${file} imports ${source}`),
    );
    expect(strangers).toEqual([]);
  });

  it.each(KEPT_APART)('keep %s to %s', (packages, files) => {
    const strangers = Object.keys(ROOMS)
      .flatMap(filesOf)
      .filter((file) => !files.test(file) && importsOf(file).some((source) => packages.test(source)));
    expect(strangers).toEqual([]);
  });

  it.each(Object.keys(ROOMS).filter((room) => room !== 'bin'))(
    'leave environment, arguments and console to the entry points: %s',
    (room) => {
      const strangers = filesOf(room).filter(
        (file) =>
          !LAMBDA_ENTRY.has(file) &&
          /\bprocess\.(env|argv|exit|exitCode|stdout|stderr|stdin|on|once)\b|\bconsole\.|from 'node:process'/.test(
            codeOf(file),
          ),
      );
      expect(strangers).toEqual([]);
    },
  );

  it('lets the codec know neither HTTP nor tokens', () => {
    const strangers = filesOf('codec').filter((file) =>
      importsOf(file).some((source) => /^(node:http|node:https|aws-jwt-verify|aws-lambda)/.test(source)),
    );
    expect(strangers).toEqual([]);
  });

  it('sees every import there is', () => {
    expect(importsOf('codec/keys/kms.ts')).toContain('@aws-sdk/client-kms');
    expect(importsOf('lambda/open-keys.ts')).toContain('codec/keys/kms.ts');
    expect(importsOf('config/check-keys.ts')).toContain('codec/namespace-pattern.ts');
    expect(Object.keys(ROOMS).flatMap(filesOf).length).toBeGreaterThan(100);
  });
});
