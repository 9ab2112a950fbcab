/** The page that says which clients were run against the server, and what was seen to work. */

/** One check that ran. */
export interface Check {
  readonly group: string;
  /** The client, or pair of clients, it is about, with version. */
  readonly client: string;
  /** What it shows, as a sentence. */
  readonly name: string;
  readonly passed: boolean;
  readonly milliseconds: number;
  /** What it measured, such as requests counted. */
  readonly notes: string[];
}

/** docs/compatibility.md, from the checks of a whole run. */
export function compatibilityPage(checks: readonly Check[]): string {
  const clients = [...new Set(checks.map(({ client }) => client))];
  const sections = clients.map((client) => {
    const own = checks.filter((check) => check.client === client);
    const lines = own.map(
      ({ name, passed, notes }) => `| ${passed ? 'yes' : '**no**'} | ${cell(name)} | ${notes.map(cell).join('<br>')} |`,
    );
    return `## ${client}\n\n| works | what | noted |\n|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `# Compatibility

Made by \`npm run test:e2e -- --write-docs\`: every line is a check that ran against the client's own program, with
nothing of ours in its place. ${checks.filter(({ passed }) => passed).length} of ${checks.length} passed.

${sections.join('\n')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
