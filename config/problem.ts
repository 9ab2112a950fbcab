/** Something wrong with a configuration: where it stands, what is wrong, and how to put it right. */
export interface Problem {
  /** The field, as one would write it in the file: `keys.kms[0].write`. */
  readonly path: string;
  /** One sentence for a person, with the fix. */
  readonly message: string;
}

/** Problems as text, one a line, each with its place. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `  ${path}: ${message}`).join('\n');
}

/**
 * The problems of a value and of all that is in it. Where something is wrong, what is in it is not looked at, nor are
 * codecs of a team's own, which are code.
 *
 * @param wrongWith what is wrong with one value by itself; undefined for nothing
 */
export function problemsWithin(
  value: unknown,
  path: string,
  wrongWith: (value: unknown) => string | undefined,
): Problem[] {
  const message = wrongWith(value);
  if (message !== undefined) return [{ path, message }];
  if (Array.isArray(value)) return value.flatMap((item, index) => problemsWithin(item, `${path}[${index}]`, wrongWith));
  if (typeof value !== 'object' || value === null || path.endsWith('.codec')) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    problemsWithin(item, path === '' ? key : `${path}.${key}`, wrongWith),
  );
}

/** Whether a value is a whole number within bounds. */
export function isWhole(value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** What stands for a value that nobody has filled in yet, such as `<account>`: the checks of its form wait for the value. */
export const PLACEHOLDER = /<[^<>]*>/;
/** The same where an address may stand in angle brackets itself. */
export const EMAIL_PLACEHOLDER = /<[^<>@]*>/;

/** What somebody who mistyped most likely meant. */

/** Mistakes for each so many letters that still count as a slip. */
const LETTERS_PER_MISTAKE = 3;

/** The candidate nearest to a text; undefined when none is near enough to be meant. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(text.length / LETTERS_PER_MISTAKE));
  const ranked = candidates
    .map((candidate) => ({ candidate, mistakes: mistakesBetween(text.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.mistakes - b.mistakes);
  const [best] = ranked;
  return best !== undefined && best.mistakes <= most ? best.candidate : undefined;
}

/** Letters to add, leave out, change, or swap with the next one (optimal string alignment distance). */
function mistakesBetween(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(rows, i - 1, j - 1) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(rows, i - 2, j - 2) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

function at(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}
