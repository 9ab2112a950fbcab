/** `codec-server doctor URL`: examines a codec server, ours or anyone's, as its clients would use it. */
import { connectionOf } from './cluster/connection.ts';
import type { CommandIo } from './command.ts';
import { examine } from './doctor/examine.ts';
import { type Finding, isHealthy, renderFinding, renderJson, renderSummary } from './doctor/report.ts';
import { type DoctorOptions, Target } from './doctor/target.ts';
import { createCommand, type Given, UsageError } from './run-command.ts';

/** Runs an examination and prints it. */
export const doctor = createCommand('doctor', async (given, io) => {
  const { json, strict } = given.values;
  const options = optionsOf(given, io);
  const { href } = options.endpoint;
  const colors = io.stdout.isTTY === true && !io.env['NO_COLOR'];
  const findings: Finding[] = [];
  if (!json) io.stdout.write(`Examining ${href}\n\n`);
  for await (const finding of examine(new Target(options))) {
    findings.push(finding);
    if (!json) io.stdout.write(renderFinding(finding, colors));
  }
  io.stdout.write(json ? renderJson(href, findings, strict) : renderSummary(findings, strict));
  return isHealthy(findings, strict) ? 0 : 1;
});

function optionsOf({ values, operands: [url, more] }: Given<'doctor'>, io: CommandIo): DoctorOptions {
  if (more !== undefined) throw new UsageError(`one URL at a time; ${JSON.stringify(more)} is too much.`);
  if (url === undefined) throw new UsageError('give the URL of a codec server, such as http://localhost:8888.');
  const endpoint = URL.parse(url);
  if (endpoint === null || !/^https?:$/.test(endpoint.protocol))
    throw new UsageError(
      `${JSON.stringify(url)} is not an http or https address. Give it in full, such as http://localhost:8888.`,
    );
  const token = (values.token ?? io.env['CODEC_SERVER_TOKEN'])?.trim().replace(/^Bearer /i, '') || undefined;
  const expiredToken = values['expired-token']?.replace(/^Bearer /i, '');
  // Asked only when told: the environment names a server for the CLI, too.
  const isAsked = values.address !== undefined || values.profile !== undefined;
  const temporal = isAsked ? connectionOf(values, io.env, io.cwd) : undefined;
  const namespace = values.namespace ?? temporal?.namespace ?? 'default';
  return { endpoint, namespace, origin: values.origin, token, expiredToken, temporal };
}
