import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { madeOnce } from './made-once.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'made-once-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

it('gives two who want a folder at the same moment one that is whole, and lets neither touch the other’s', async () => {
  const folder = join(cache, 'tools');
  const bothAtWork = Promise.withResolvers<void>();
  const made: string[] = [];
  const make = async (target: string) => {
    writeFileSync(join(target, 'first'), target);
    if (made.push(target) === 2) bothAtWork.resolve();
    await bothAtWork.promise;
    expect(readFileSync(join(target, 'first'), 'utf8')).toBe(target);
    writeFileSync(join(target, 'second'), '');
  };

  expect(await Promise.all([madeOnce(folder, make), madeOnce(folder, make)])).toEqual([folder, folder]);

  expect(existsSync(join(folder, 'second'))).toBe(true);
  expect(made).toContain(readFileSync(join(folder, 'first'), 'utf8'));
  expect(readdirSync(cache)).toHaveLength(2);
});

it('makes a folder once', async () => {
  const folder = join(cache, 'tools');
  await madeOnce(folder, async (target) => writeFileSync(join(target, 'program'), ''));
  await madeOnce(folder, () => Promise.reject(new Error('made twice')));
  expect(existsSync(join(folder, 'program'))).toBe(true);
});

it('leaves nothing behind when making fails', async () => {
  await expect(madeOnce(join(cache, 'tools'), () => Promise.reject(new Error('no network')))).rejects.toThrow(
    'no network',
  );
  expect(readdirSync(cache)).toEqual([]);
});

it.each([
  ['a folder that was never whole', (folder: string) => mkdirSync(folder)],
  [
    'a link whose folder somebody has deleted',
    async (folder: string) => {
      await madeOnce(folder, async () => {});
      for (const name of readdirSync(cache)) if (name.includes('.')) rmSync(join(cache, name), { recursive: true });
    },
  ],
])('does not trust %s', async (_, leave) => {
  const folder = join(cache, 'tools');
  await leave(folder);
  await madeOnce(folder, async (target) => writeFileSync(join(target, 'program'), ''));
  expect(existsSync(join(folder, 'program'))).toBe(true);
});
