import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Who may import from whom, besides themselves. What a room may not know, it cannot leak, load or break. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  bin: ['cli', 'lib', 'lambda', 'codec', 'config', 'environments'],
  cli: ['lambda', 'codec', 'config', 'environments'],
  // Knows the Lambda by file path only, so that no part of the server is loaded to deploy it.
  lib: ['config'],
  lambda: ['codec', 'config'],
  config: ['codec'],
  environments: ['config'],
  codec: [],
};

/** Packages that may only be imported by these files, so that each can be replaced or left unloaded. */
const KEPT_APART: readonly (readonly [packages: RegExp, files: RegExp])[] = [
  [/^@aws-sdk\/client-kms/, /^codec\/keys\/kms\/kms(-client)?\.ts$/],
  [/^@aws-sdk\/client-secrets-manager/, /^codec\/keys\/secrets\/secrets-manager(-client)?\.ts$/],
  [/^@aws-sdk\/nested-clients\/sts/, /^codec\/keys\/kms\/(kms|sts-client)\.ts$/],
  [/^@aws-sdk\/client-s3/, /^(lambda\/server\/storage\/s3(-client)?|cli\/histories\/sources)\.ts$/],
  [
    /^(@aws-sdk|@smithy|aws-sdk)/,
    /^(codec\/keys\/|(lambda\/server\/storage\/s3(-client|-multi-region)?|cli\/histories\/sources)\.ts$)/,
  ],
  [/^aws-jwt-verify/, /^lambda\/server\/auth\/tokens\.ts$/],
  [/^openid-client/, /^lambda\/server\/sign-in\/provider\.ts$/],
  [/^(aws-lambda|@middy)/, /^lambda\/(api-gateway|lambda-handler)\.ts$/],
  [/^(aws-cdk-lib|constructs|cdk-nag)/, /^(lib|bin)\//],
  [/^@temporalio\/proto/, /^$/],
  [/^node:http$/, /^(lambda\/node\/|cli\/doctor\/|cli\/histories\/remote-decoder\.ts$)/],
  [
    /^node:(https|http2|net|tls|dns)$/,
    // The check of addresses takes ranges apart with `node:net`, and connects to nothing.
    /^(lambda\/node\/|lambda\/server\/auth\/https-get\.ts$|cli\/doctor\/|cli\/histories\/remote-decoder\.ts$|cli\/cluster\/grpc-client\.ts$|config\/(checks\/front|addresses)\.ts$)/,
  ],
  [/^node:(child_process|worker_threads|cluster|vm)$/, /^lib\//],
];

/** Rules that two places once wrote each in its own way: how they are written, and the one file that does. */
const WRITTEN_ONCE: readonly (readonly [rule: string, written: RegExp, file: string])[] = [
  ['what an ARN is', /\/\^arn:/, 'codec/keys/arn.ts'],
  ['which hosts are this machine', /127\(\?:|\^127/, 'config/addresses.ts'],
  ['what an account id and a Region are', /\/\^\\d\{12\}\$|\[a-z\]\{2\}\(/, 'config/bucket.ts'],
  ['what a placeholder is', /\/<\[\^<>/, 'config/problem.ts'],
  ['how long a key is', /\b\w*KEY_(BYTES|LENGTH) = 32\b/, 'codec/aws-encryption-sdk/algorithm-suites.ts'],
  ['how AWS KMS is named in a message', /'aws-kms'|"aws-kms"/, 'codec/keys/key-source.ts'],
  ['what is strict base64', /toString\('base64'\) [!=]==/, 'codec/payload.ts'],
  ['what cannot be printed', /\\p\{Cf\}/, 'config/printable.ts'],
  ['how a line of a terminal is written anew', /\\r\\u001b\[K/, 'cli/progress.ts'],
  // Where a full map refuses what comes next (`throw`, `return`), nothing is forgotten: that is a limit, and stays where it is.
  [
    'how a map stays within bounds',
    /\.size >=? [A-Za-z_#][\w.#]*\)\s*\{?\s*(?!throw|return)[\w.#]+[.( ]|\.keys\(\)\.next\(\)|const \[\w+\] =[^;]*\.keys\(\);/,
    'codec/bounded-cache.ts',
  ],
  ['how Temporal Cloud issues tokens, and where its API is', /tmprl\.cloud/, 'config/issuers.ts'],
  ['what base64 proto3 JSON takes', /\blength % 4 === 1|\(\?:\[A-Za-z0-9\+\/_-\]\{4\}/, 'lambda/server/http/base64.ts'],
  ['how the official client is set up', /new NodeCachingMaterialsManager/, 'bench/official-client.ts'],
  ['how a bundle of ours begins', /import\{createRequire\}/, 'lib/names.ts'],
  ['how pauses grow', /\* 2 \*\* \(?\w*[a-z#]/, 'codec/calls/backoff.ts'],
];

/** What stands in for modules in the function's bundle: a part of its entry point, though it lives beside the bundler. */
const LAMBDA_STAND_INS: ReadonlySet<string> = new Set([
  join('lib', 'bundle', 'lambda-credentials.ts'),
  join('lib', 'bundle', 'node-process.ts'),
]);

const ROOT = join(import.meta.dirname, '..');

/** Source files of a room, by their path from the root. */
function filesOf(room: string): string[] {
  return readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .map((file) => join(room, file))
    .filter((file) => /\.m?[jt]s$/.test(file) && !file.startsWith(join('codec', 'dist')));
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
          !LAMBDA_STAND_INS.has(file) &&
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

  it.each(WRITTEN_ONCE)('have one place for %s', (_rule, written, file) => {
    const places = [...Object.keys(ROOMS), 'bench'].flatMap(filesOf).filter((it) => written.test(codeOf(it)));
    expect(places).toEqual([file]);
  });

  it('has no circle of files that know each other, by types either', () => {
    const files = Object.keys(ROOMS).flatMap(filesOf);
    const left = new Map(files.map((file) => [file, importsOf(file).filter((source) => files.includes(source))]));
    // Who knows nobody that is left is in no circle, nor is whom nobody knows that is left.
    for (let before = -1; before !== left.size; ) {
      before = left.size;
      const known = new Set([...left.values()].flat());
      for (const [file, sources] of left)
        if (!known.has(file) || !sources.some((source) => left.has(source))) left.delete(file);
    }
    expect([...left.keys()]).toEqual([]);
  });

  it('makes every check of a configuration that there is', () => {
    const sections = textOf('config/check.ts') + textOf('config/checks/deployment.ts');
    const checks = filesOf('config/checks').flatMap((file) =>
      [...textOf(file).matchAll(/^export function (check\w+)/gm)].map(([, name = '']) => name),
    );
    expect(checks.length).toBeGreaterThan(8);
    const isMade = (name: string): boolean => new RegExp(`section\\([^)]*\\b${name}\\b`).test(sections);
    expect(checks.filter((name) => name !== 'checkDeployment' && !isMade(name))).toEqual([]);
  });

  it('fuzzes files that there are', () => {
    const sources = Object.keys(ROOMS).flatMap(filesOf);
    const targets = filesOf(join('test', 'fuzz')).map(textOf).join('\n');
    const covered = [...targets.matchAll(/covers: \[([^\]]*)\]/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/'([^']+)'/g)].map(([, part = '']) => part),
    );
    expect(covered.length).toBeGreaterThan(15);
    expect(covered.filter((part) => !sources.some((file) => `/${file}`.includes(part)))).toEqual([]);
  });

  it('sees every import there is', () => {
    expect(importsOf('codec/keys/kms/kms.ts')).toContain('@aws-sdk/client-kms');
    expect(importsOf('lambda/server/open-keys.ts')).toContain('codec/keys/kms/kms.ts');
    expect(importsOf('config/checks/keys.ts')).toContain('codec/namespace-pattern.ts');
    expect(Object.keys(ROOMS).flatMap(filesOf).length).toBeGreaterThan(100);
  });
});
