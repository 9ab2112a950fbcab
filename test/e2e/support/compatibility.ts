/** The page that says which clients were run against the server, and what was seen to work. */

import type { TrafficShape } from './traffic.ts';

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

/** docs/compatibility.md, from the checks of a whole run and the traffic that it recorded. */
export function compatibilityPage(checks: readonly Check[], traffic: readonly TrafficShape[]): string {
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
nothing of ours in its place but where a heading says so. ${checks.filter(({ passed }) => passed).length} of ${checks.length} passed.

${sections.join('\n')}
## What the clients send

Recorded between client and server. \`<namespace>\` stands for the namespace of the checks.

| client | request | headers | payloads a request |
|---|---|---|---|
${traffic.map(trafficRow).join('\n')}
`;
}

function trafficRow({ client, method, url, headers, payloads: [least, most] }: TrafficShape): string {
  const named = Object.entries(headers).map(([name, value]) => `\`${name}: ${value}\``);
  const count = method === 'POST' ? (least === most ? `${least}` : `${least} to ${most}`) : '';
  return `| ${cell(client)} | \`${cell(`${method} ${url}`)}\` | ${named.map(cell).join('<br>')} | ${count} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
