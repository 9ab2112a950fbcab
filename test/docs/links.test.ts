import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..');
const NOT_OURS = new Set(['node_modules', '.git', '.cache', 'dist', 'cdk.out']);

/** Every Markdown page below a folder, by its path from the root. */
function pagesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const pages = pagesBelow('');

/** Relative links of a page, without those in code. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^(https?:|mailto:)/.test(link));
}

/** The anchors of a page: its headings as GitHub and GitLab make them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = '']) => heading,
  );
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}

/** Paths from the root that stand in the prose as code; not those of environments, which readers make. */
function filesNamedIn(markdown: string): string[] {
  const rooms = 'bench|bin|cli|codec|config|docs|examples|lambda|lib|scripts|test|workers';
  const named = new RegExp(`\`((?:${rooms})/[\\w./-]+\\.\\w+)\``, 'g');
  return [...markdown.matchAll(named)].map(([, path = '']) => path);
}

/** What the files of `environments/` import that a page shows, as paths from the root. */
function importsOfEnvironments(markdown: string): string[] {
  const code = [...markdown.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text = '']) => text).join('');
  return [...code.matchAll(/from '(\.[^']+\.ts)'/g)].map(([, path = '']) => join('environments', path));
}

describe('the documentation', () => {
  it('has pages', () => {
    expect(pages).toContain('README.md');
    expect(pages.length).toBeGreaterThan(15);
  });

  it.each(pages)('leads nowhere that does not exist: %s', (page) => {
    const broken = linksOf(readFileSync(join(ROOT, page), 'utf8')).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), decodeURI(path));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(join(ROOT, target), 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it.each(pages)('names no file that does not exist: %s', (page) => {
    const markdown = readFileSync(join(ROOT, page), 'utf8');
    expect(
      [...filesNamedIn(markdown), ...importsOfEnvironments(markdown)].filter((it) => !existsSync(join(ROOT, it))),
    ).toEqual([]);
  });

  it('has no page that the README does not lead to', () => {
    const led = new Set(linksOf(readFileSync(join(ROOT, 'README.md'), 'utf8')).map((link) => link.split('#')[0]));
    expect(pages.filter((page) => page.startsWith('docs/') && !led.has(page))).toEqual([]);
  });
});
