/** What Temporal stores beside what a person reads: two outputs of `temporal workflow show --detailed` as one table. */

/** A line of the CLI's about a payload, as it is stored: its path and its base64. */
const STORED = /^(\S+)\.data: (.+)$/;
const EVENT = /^-+ (\[\d+\] \w+) -+$/;

/** The lines of an event, by its number and type. */
function events(shown: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of shown.split('\n')) {
    const event = EVENT.exec(line)?.[1];
    if (event === undefined) {
      lines.push(line);
      continue;
    }
    lines = [];
    found.set(event, lines);
  }
  return found;
}

/**
 * Every payload of a history, event by event.
 *
 * @param stored what `show --detailed` prints without a codec server
 * @param read what it prints with one
 * @param width characters of a line
 */
export function sideBySide(stored: string, read: string, width: number): string[] {
  const column = Math.floor((width - 3) / 2);
  const row = (left: string, right: string) => `${fit(left, column)} | ${fit(right, column).trimEnd()}`;
  const decoded = events(read);
  return [...events(stored)].flatMap(([event, lines]) => {
    const payloads = lines.flatMap((line) => STORED.exec(line)?.[1]?.replace(/\.payloads\[\d+\]$/, '') ?? []);
    const rows = [...new Set(payloads)].flatMap((path) => {
      const left = lines.filter((line) => STORED.test(line) && isOf(path, line));
      const right = (decoded.get(event) ?? []).filter((line) => isOf(path, line));
      return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => row(left[i] ?? '', right[i] ?? ''));
    });
    return rows.length === 0 ? [] : [event, ...rows];
  });
}

function isOf(path: string, line: string): boolean {
  return line.startsWith(path) && /^[.[:]/.test(line.slice(path.length));
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
