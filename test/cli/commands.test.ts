import { describe, expect, it } from '@jest/globals';
import { checkConfigCommand } from '../../cli/check-config.ts';
import { type Command, helpOf, type OptionDefinition, overviewOf } from '../../cli/command.ts';
import { COMMANDS, type CommandName } from '../../cli/commands.ts';
import { completion } from '../../cli/completion.ts';
import { decode } from '../../cli/decode.ts';
import { doctor } from '../../cli/doctor.ts';
import { init } from '../../cli/init.ts';
import { inspect } from '../../cli/inspect.ts';
import { keygen } from '../../cli/keygen.ts';
import { keysInUse } from '../../cli/keys-in-use.ts';
import { reencrypt } from '../../cli/reencrypt.ts';
import { start } from '../../cli/start.ts';
import { token } from '../../cli/token.ts';
import { TestCommandIo } from '../support/command-io.ts';

const RUN: Readonly<Record<CommandName, Command>> = {
  init,
  start,
  keygen,
  inspect,
  decode,
  'keys-in-use': keysInUse,
  reencrypt,
  token,
  'check-config': checkConfigCommand,
  doctor,
  completion,
};
const ALL = Object.entries(RUN) as [CommandName, Command][];

async function run(command: Command, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new TestCommandIo({ cwd: '/' });
  const code = await command(argv, io, AbortSignal.abort());
  return { code, out: io.out, err: io.err };
}

describe.each(ALL)('codec-server %s', (name, command) => {
  it('tells its usage, and every option in it, for --help and -h', async () => {
    const help = await run(command, '--help');
    expect(help).toEqual({ code: 0, out: helpOf(name, COMMANDS[name]), err: '' });
    expect(await run(command, '-h')).toEqual(help);
    expect(help.out).toMatch(new RegExp(`^Usage: codec-server ${name} `));
    for (const option of Object.keys(COMMANDS[name].options)) expect(help.out).toMatch(new RegExp(`--${option}\\b`));
    expect(Math.max(...help.out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  });

  it('says what is wrong with an option that does not exist, and where to read more', async () => {
    const { code, out, err } = await run(command, '--no-such-option');
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(`codec-server ${name}: Unknown option '--no-such-option'. See --help.\n`);
  });

  it('names the option that was meant', async () => {
    const option = Object.keys(COMMANDS[name].options)[0] ?? 'help';
    const { err } = await run(command, `--${option.slice(0, -1)}x`);
    expect(err).toContain(`Did you mean --${option}?`);
  });
});

it('lists every command with what it is for', () => {
  const lines = overviewOf(COMMANDS).split('\n');
  for (const [name, { summary }] of Object.entries(COMMANDS))
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^  ${name} +${summary}$`)));
});

it('means the same by an option in every command that has it', () => {
  const meanings = new Map<string, Set<string>>();
  for (const { options } of Object.values(COMMANDS))
    for (const [option, { type, short, value }] of Object.entries<OptionDefinition>(options))
      meanings.set(option, (meanings.get(option) ?? new Set()).add([type, short, value].join()));
  expect([...meanings].filter(([, { size }]) => size > 1)).toEqual([]);
});
