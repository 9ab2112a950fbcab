/** `codec-server completion`: what a shell needs to complete commands, options and files; all of it from {@link COMMANDS}. */
import type { CommandDefinition, OptionDefinition } from './command.ts';
import { COMMANDS } from './commands.ts';
import { createCommand, UsageError } from './run-command.ts';

type AnyCommand = CommandDefinition<Readonly<Record<string, OptionDefinition>>>;

/** What the value of an option is called where it is a path. */
const PATHS: ReadonlySet<string> = new Set(['FILE', 'FOLDER', 'PATH']);
const EVERYWHERE = { help: { type: 'boolean', help: 'how it is used' } } as const satisfies AnyCommand['options'];
const AT_FIRST = ['--help', '--version'];

const commands = Object.entries(COMMANDS).map(([name, definition]) => {
  const { summary, operands = {}, options } = definition as AnyCommand;
  return {
    name,
    summary,
    /** Operands that are words to be typed, not names of something. */
    words: Object.keys(operands).filter((operand) => operand === operand.toLowerCase()),
    options: Object.entries({ ...options, ...EVERYWHERE } as AnyCommand['options']).map(
      ([option, { value, help }]) => ({
        name: option,
        takes: value === undefined ? 'nothing' : PATHS.has(value) ? 'a path' : 'a value',
        help: help?.split('\n')[0] ?? value?.toLowerCase() ?? option,
      }),
    ),
  };
});

/** Options of all commands that take something, each once, as patterns of a shell. */
function taking(what: 'a path' | 'a value'): string {
  const options = commands.flatMap((command) => command.options.filter(({ takes }) => takes === what));
  return [...new Set(options.map(({ name }) => `--${name}`))].join('|');
}

function bash(): string {
  const cases = commands.map(
    ({ name, words, options }) =>
      `    ${name}) words='${[...words, ...options.map((option) => `--${option.name}`)].join(' ')}' ;;\n`,
  );
  return `_codec_server() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=
  case \${COMP_WORDS[1]} in
${cases.join('')}  esac
  if ((COMP_CWORD == 1)); then
    words='${[...commands.map(({ name }) => name), ...AT_FIRST].join(' ')}'
  else
    case $previous in
      ${taking('a path')}) words= ;;
      ${taking('a value')}) return ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if ((COMP_CWORD > 1)) && [[ $current != -* ]]; then
    compopt -o filenames 2>/dev/null
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _codec_server codec-server
`;
}

function zsh(): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const described = (word: string, help: string) => quoted(`${word}:${help.replaceAll(':', '\\:')}`);
  const cases = commands.map(
    ({ name, words, options }) =>
      `    ${name}) operands=(${words.join(' ')}) options=(${options.map((option) => described(`--${option.name}`, option.help)).join(' ')}) ;;\n`,
  );
  return `#compdef codec-server
_codec_server() {
  local -a commands operands options
  if ((CURRENT == 2)); then
    commands=(${commands.map(({ name, summary }) => described(name, summary)).join(' ')} ${AT_FIRST.join(' ')})
    _describe command commands
    return
  fi
  case $words[CURRENT-1] in
    ${taking('a path')}) _files; return ;;
    ${taking('a value')}) return ;;
  esac
  case $words[2] in
${cases.join('')}  esac
  if [[ $PREFIX == -* ]]; then _describe -o option options; return; fi
  ((\${#operands})) && compadd -a operands
  _files
}
compdef _codec_server codec-server
`;
}

function fish(): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, summary, words, options }) => {
    const here = `complete -c codec-server -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c codec-server -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...words.map((word) => `${here} -f -a ${word}`),
      ...options.map(({ name: option, takes, help }) => {
        const argument = takes === 'nothing' ? '' : takes === 'a path' ? ' -r -F' : ' -x';
        return `${here} -l ${option}${argument} -d ${quoted(help)}`;
      }),
    ];
  });
  return `${lines.join('\n')}\n`;
}

const SHELLS: ReadonlyMap<string | undefined, () => string> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
]);

/** Prints the completion of a shell, to be sourced. */
export const completion = createCommand('completion', async ({ operands }, io) => {
  const script = SHELLS.get(operands[0]);
  if (script === undefined || operands.length > 1) throw new UsageError('name one shell: bash, zsh or fish.');
  io.stdout.write(script());
  return 0;
});
