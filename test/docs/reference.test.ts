/** What pages must name, since nobody would find it: fields of a configuration, commands, and the files of the code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../cli/commands.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Where files of the code stand in a page: in code, with a folder of the repository at their beginning. */
const PATHS = /`((?:bench|bin|cli|codec|config|docs|environments|lambda|lib|scripts|test|workers)\/[\w./-]*)`/g;

describe('the pages', () => {
  it.each(['config/schema.ts', 'config/environment.ts'])('name every field of a configuration: %s', (file) => {
    const page = ['docs/configure.md', 'docs/sign-in.md'].map(read).join('\n');
    const fields = [...read(file).matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name);
    expect(fields.length).toBeGreaterThan(20);
    expect(fields.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  it.each(Object.keys(COMMANDS))('show how it is called: codec-server %s', (name) => {
    const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((page) => `docs/${page}`)];
    const called = new RegExp(`codec-server (?:-- )?${name}\\b`);
    expect(pages.filter((page) => page.endsWith('.md') && called.test(read(page)))).not.toEqual([]);
  });

  it.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('name files that there are: %s', (page) => {
    const named = [...read(page).matchAll(PATHS)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
