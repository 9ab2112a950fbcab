/** The programs behind npm scripts say what they take, and refuse the rest before they do anything. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const ROOT = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** Scripts of one program that reads options, with its file. */
const runners = Object.entries(scripts).flatMap(([name, command]) => {
  const file = /^node ((?:test|bench)\/[\w/-]+\.ts)$/.exec(command)?.[1];
  return file !== undefined && readFileSync(new URL(file, ROOT), 'utf8').includes('runnerOptions(')
    ? [{ name, file }]
    : [];
});
const run = (file: string, ...args: string[]) =>
  spawnSync(process.execPath, [file, ...args], { cwd: ROOT, encoding: 'utf8' });

describe('the programs that npm scripts run', () => {
  test('are told from each other by their usage', () => {
    expect(runners.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['test:e2e', 'demo', 'bench', 'fuzz', 'soak', 'supply-chain']),
    );
  });

  test.each(runners)(
    'npm run $name prints its usage, and refuses what it does not know in one line',
    ({ name, file }) => {
      const help = run(file, '--help');
      expect(help.status).toBe(0);
      expect(help.stdout).toMatch(`Usage: npm run ${name} [--`);
      expect(help.stderr).toBe('');

      const refused = run(file, '--nonsense');
      expect(refused.status).toBe(2);
      expect(refused.stdout).toBe('');
      expect(refused.stderr).toBe("Unknown option '--nonsense'. See --help.\n");
    },
  );

  test('read their options in no other way', () => {
    const others = Object.values(scripts).flatMap((command) => {
      const file = /^node ((?:test|bench|scripts)\/[\w/-]+\.ts)$/.exec(command)?.[1];
      return file !== undefined && readFileSync(new URL(file, ROOT), 'utf8').includes(' parseArgs(') ? [file] : [];
    });
    expect(others).toEqual([]);
  });
});
