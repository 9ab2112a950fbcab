/**
 * The part of TOML in which the Temporal CLI writes its profiles: tables, and keys with a string, a
 * number or a boolean. Anything else is an error that names its line.
 */

/** Tables by their dotted names; the one at the top is ''. */
export type TomlTables = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Text that is not of that part. The message names the line. */
export class TomlError extends Error {
  override readonly name = 'TomlError';
}

const NAME = /[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*'/;
const TABLE = new RegExp(`^\\[\\s*((?:${NAME.source})(?:\\s*\\.\\s*(?:${NAME.source}))*)\\s*\\]$`);
const ENTRY = new RegExp(`^(${NAME.source})\\s*=\\s*(.+)$`);

/** @throws TomlError */
export function parseToml(text: string): TomlTables {
  const tables: Record<string, Record<string, string>> = Object.create(null);
  let table: Record<string, string> = Object.create(null);
  tables[''] = table;
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    const header = TABLE.exec(withoutComment(line))?.[1];
    if (header !== undefined) {
      const name = [...header.matchAll(new RegExp(NAME, 'g'))].map(([part]) => unquoted(part)).join('.');
      table = tables[name] ?? Object.create(null);
      tables[name] = table;
      continue;
    }
    const [, name, value] = ENTRY.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new TomlError(`line ${index + 1} is not understood`);
    table[unquoted(name)] = parsedValue(value, index + 1);
  }
  return tables;
}

function parsedValue(text: string, line: number): string {
  const basic = /^("(?:[^"\\]|\\.)*")\s*(?:#.*)?$/.exec(text)?.[1];
  if (basic !== undefined && !text.startsWith('"""')) {
    try {
      return JSON.parse(basic) as string;
    } catch {
      throw new TomlError(`line ${line} has a string that is not understood`);
    }
  }
  const literal = /^'([^']*)'\s*(?:#.*)?$/.exec(text)?.[1];
  if (literal !== undefined && !text.startsWith("'''")) return literal;
  const bare = withoutComment(text);
  if (/^(?:true|false|[+-]?\d+)$/.test(bare)) return bare;
  throw new TomlError(`line ${line} has a value that is not understood`);
}

function withoutComment(text: string): string {
  return text.replace(/\s*#[^"']*$/, '').trim();
}

function unquoted(name: string): string {
  return /^["']/.test(name) ? name.slice(1, -1) : name;
}
