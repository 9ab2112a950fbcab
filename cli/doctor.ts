/** `codec-server doctor URL`: examines a codec server, ours or anyone's, as its clients would use it. */
import { parseArgs } from 'node:util';
import type { CommandIo } from './command.ts';
import { examine } from './doctor/examine.ts';
import { type Finding, isHealthy, renderFinding, renderJson, renderSummary } from './doctor/report.ts';
import { Target } from './doctor/target.ts';

export const DOCTOR_USAGE = `Usage: codec-server doctor URL [options]

Checks a running codec server as the Web UI and the CLI would use it: name, TLS, redirects, paths,
CORS, tokens, round trip, sizes, latency. Changes nothing and stores nothing.

  URL                    the endpoint as it stands in the Namespace settings
  --namespace NAME       namespace of the round trip, in full (default: default)
  --token TOKEN          a token that may decode and encode in it; better: CODEC_SERVER_TOKEN in the environment
  --expired-token TOKEN  a genuine token that has expired, to see that it is refused
  --origin ORIGIN        the Web UI's origin (default: https://cloud.temporal.io)
  --strict               exit code 1 for a warning as well, for pipelines
  --json                 findings as JSON
  --help

Exit code: 0 all is well (there may be warnings without --strict), 1 something failed, 2 wrong usage.
`;

/** Runs an examination and prints it. */
export async function doctor(argv: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parse(argv, io);
  if (typeof parsed === 'string') {
    io.stderr.write(`codec-server doctor: ${parsed}\n`);
    return 2;
  }
  if (parsed.help) {
    io.stdout.write(DOCTOR_USAGE);
    return 0;
  }
  const colors = io.stdout.isTTY === true && !io.env['NO_COLOR'];
  const findings: Finding[] = [];
  if (!parsed.json) io.stdout.write(`Examining ${parsed.endpoint.href}\n\n`);
  for await (const finding of examine({
    target: new Target(parsed),
    now: Date.now,
    expiredToken: parsed.expiredToken,
  })) {
    findings.push(finding);
    if (!parsed.json) io.stdout.write(renderFinding(finding, colors));
  }
  const { strict } = parsed;
  io.stdout.write(parsed.json ? renderJson(parsed.endpoint.href, findings, strict) : renderSummary(findings, strict));
  return isHealthy(findings, strict) ? 0 : 1;
}

function parse(argv: readonly string[], io: CommandIo) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        namespace: { type: 'string', default: 'default' },
        token: { type: 'string' },
        'expired-token': { type: 'string' },
        origin: { type: 'string', default: 'https://cloud.temporal.io' },
        strict: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [url, more] = positionals;
    const help = values.help;
    if (more !== undefined) return `one URL at a time; ${JSON.stringify(more)} is too much. See --help.`;
    if (url === undefined && !help) return 'give the URL of a codec server, such as http://localhost:8888. See --help.';
    const endpoint = URL.parse(url ?? 'http://localhost:8888');
    if (endpoint === null || !/^https?:$/.test(endpoint.protocol))
      return `${JSON.stringify(url)} is no http or https address. Give it in full, such as http://localhost:8888.`;
    const token = (values.token ?? io.env['CODEC_SERVER_TOKEN'])?.trim().replace(/^Bearer /i, '') || undefined;
    const expiredToken = values['expired-token']?.replace(/^Bearer /i, '');
    const { namespace, origin, json, strict } = values;
    return { endpoint, namespace, origin, json, strict, help, token, expiredToken };
  } catch (error) {
    return `${(error as Error).message} See --help.`;
  }
}
