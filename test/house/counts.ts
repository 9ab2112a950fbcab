/** Counts of the code, which `npm run house` prints and a test holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the project. */
export const ROOT = join(import.meta.dirname, '../..');
const ROOMS = ['bin', 'cli', 'codec', 'config', 'environments', 'lambda', 'lib'];
/** Lines that two places must share to count as one passage that stands twice. */
export const PASSAGE = 6;

/** Exports that tests alone use, and why each is one. */
const FOR_TESTS: Readonly<Record<string, string>> = {
  createRecognizer: 'the order of formats is a law about any formats, which a test states with made-up ones',
  ALL_FORMATS: 'a test holds docs/formats.md to it, encoding by encoding',
  readKeySet: 'which keys of a set count is a law about text; through IssuerKeys every case would be a fetch',
  policiesOfWorkers: 'an estimate, which a test compares with the policies that a stack really has',
  charactersOf: 'an estimate, which a test compares with the quotas of AWS',
};

/** Files that may share passages with others, and why. */
const WHOLE_BY_THEMSELVES: Readonly<Record<string, string>> = {
  'environments/': 'each is a file of the user, who reads it from top to bottom and copies it',
};

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => /\.m?ts$/.test(file) && !/node_modules|(^|\/)dist\//.test(file));
}

/** The source files, as paths from the root. */
export const sources = ROOMS.flatMap(filesUnder);

/** Lines of a source file. */
export function linesOf(file: string): number {
  return textOf(file).split('\n').length - 1;
}

/** Types `T | Promise<T>` and tests for one: code that is written twice, once for each. */
export function halfPromises(): { readonly types: number; readonly tests: number } {
  const all = sources.map(textOf).join('\n');
  const count = (pattern: RegExp): number => [...all.matchAll(pattern)].length;
  return { types: count(/\w(\[\])?>? \| Promise</g), tests: count(/instanceof Promise/g) };
}

/** Passages that stand in more than one place, as `file and other file`; comments, imports, re-exports and lone punctuation aside. */
export function passagesTwice(): string[] {
  const seen = new Map<string, string>();
  const twice: string[] = [];
  for (const file of sources.filter((it) => !Object.keys(WHOLE_BY_THEMSELVES).some((whole) => it.startsWith(whole)))) {
    const code = textOf(file)
      .replace(/^(import|export) [^;]*? from '[^']+';$/gm, '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /\w/.test(line) && !/^(\/?\*|\/\/)/.test(line));
    for (let at = 0; at + PASSAGE <= code.length; at++) {
      const passage = code.slice(at, at + PASSAGE).join('\n');
      const other = seen.get(passage);
      if (other === undefined) seen.set(passage, file);
      else {
        twice.push(`${other} and ${file}: ${code[at]}`);
        at += PASSAGE - 1;
      }
    }
  }
  return twice;
}

/** Files whose exports others use: what the package publishes, and what takes the place of a module in a bundle. */
function usedByOthers(): ReadonlySet<string> {
  const { exports } = JSON.parse(textOf('package.json')) as { readonly exports: object };
  const published = JSON.stringify(exports).matchAll(/"import":\{"types":"\.\/dist\/([^"]+)\.d\.ts"/g);
  const standIns = textOf('lib/bundle/bundle.ts').matchAll(/'\.?\/?(lib\/bundle\/[\w-]+\.ts)'/g);
  return new Set([...[...published].map(([, file]) => `${file}.ts`), ...[...standIns].map(([, file = '']) => file)]);
}

/** Exports that no other source file, script or benchmark names, as `file: name`: only tests use them, or nobody. */
function onlyForTests(): string[] {
  const others = usedByOthers();
  const texts = new Map([...sources, ...['scripts', 'bench'].flatMap(filesUnder)].map((file) => [file, textOf(file)]));
  return sources.flatMap((file) => {
    if (others.has(file) || file.startsWith('environments/')) return [];
    const names = [...textOf(file).matchAll(/^export (?:abstract |async )?(?:function|class|const) (\w+)/gm)];
    return names.flatMap(([, name = '']) => {
      const word = new RegExp(`\\b${name}\\b`);
      return [...texts].some(([other, text]) => other !== file && word.test(text)) ? [] : [`${file}: ${name}`];
    });
  });
}

/** What {@link onlyForTests} finds, with the reason of each; and names with a reason that are no longer among them. */
export function exportsForTests(): {
  readonly unused: ReadonlyMap<string, string | undefined>;
  readonly gone: string[];
} {
  const unused = new Map(onlyForTests().map((it) => [it, FOR_TESTS[it.split(': ')[1] ?? '']]));
  const gone = Object.keys(FOR_TESTS).filter((name) => ![...unused.keys()].some((it) => it.endsWith(`: ${name}`)));
  return { unused, gone };
}
