/**
 * The commands of `codec-server`, each defined once: the list of all, the help of each and what it parses come from
 * here. Data alone, so that naming the commands loads none of them.
 */
import type { CommandDefinition, OptionDefinition } from './command.ts';

/** Keeps the names and types of the options, by which what is parsed is typed. */
function define<const Options extends Readonly<Record<string, OptionDefinition>>>(
  definition: CommandDefinition<Options>,
): CommandDefinition<Options> {
  return definition;
}

/** A switch, off unless it is given. @param help of one without, the next option says what both are for */
const flag = (help?: string) => ({ type: 'boolean', default: false, ...(help && { help }) }) as const;

/** An option with a value, which the help calls `value`. */
const taking = (value: string, help?: string) => ({ type: 'string', value, ...(help && { help }) }) as const;

/** Where the local configuration keeps the keyring. */
const DEFAULT_KEYRING = '.codec-server/keyring.json';

const JSON_OUTPUT = flag('as JSON');

/** For whoever reads or changes a namespace of a server that others use, too. */
const RATE = { ...taking('N', 'calls a second at most (default: 100)'), default: '100' } as const;

/** How to reach a Temporal server, as the Temporal CLI is told; `cluster/connection.ts` takes it from there. */
export const CONNECTION_OPTIONS = {
  address: taking('HOST:PORT', 'of the server (default: localhost:7233)'),
  namespace: { ...taking('NAME', '(default: default)'), short: 'n' },
  profile: taking('NAME', "of the Temporal CLI's configuration file"),
  'api-key-file': taking('FILE', 'an API key; or TEMPORAL_API_KEY'),
  tls: { type: 'boolean', help: 'also switched on by an API key and by each of' },
  'tls-ca-path': taking('FILE'),
  'tls-cert-path': taking('FILE'),
  'tls-key-path': taking('FILE'),
  'tls-server-name': taking(
    'NAME',
    'What is not given comes from TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS…,\nand from the profile, as for the Temporal CLI',
  ),
} as const satisfies Readonly<Record<string, OptionDefinition>>;

/** By their names, in the order of the help. */
export const COMMANDS = {
  init: define({
    summary: 'write what a team keeps in a repository of its own',
    usage: '[FOLDER]',
    about: `Writes what a team keeps in a repository of its own: environments/dev.ts, environments/prod.ts, bin/app.ts,
cdk.json, package.json, .gitignore and README.md. A file that exists is never changed.`,
    operands: { FOLDER: 'where to (default: here); made when there is none' },
    options: {},
    notes: 'Exit code: 0 written, 1 a file cannot be written, 2 wrong usage.',
  }),
  start: define({
    summary: 'serve on this machine',
    usage: '[options]',
    about: 'Serves /decode and /encode on this machine until Ctrl-C.',
    options: {
      port: { ...taking('PORT', 'default: 8888; 0 takes any that is free'), default: '8888' },
      host: taking(
        'HOST',
        'address to listen on (default: both loopback addresses, 127.0.0.1 and ::1);\nany other needs a configuration that verifies who calls',
      ),
      keyring: taking(
        'FILE',
        'the file of wrapping keys, made when there is none\n(default: keys.keyring.file of the configuration)',
      ),
      config: taking(
        'FILE',
        "a TypeScript or JavaScript module whose default export is the configuration\n(default: the package's environments/local.ts)",
      ),
      origin: {
        ...taking(
          'ORIGIN',
          'allow the pages of one more origin, such as http://localhost:8080; may be given more than once',
        ),
        multiple: true,
      },
      'tls-cert': taking('FILE', 'serve https with this certificate (PEM), which the Web UI needs to pass its token'),
      'tls-key': taking('FILE', 'and this private key (PEM)'),
      audit: { type: 'boolean' },
      'no-audit': flag(
        'print the audit line of every request, or none. Default: where the configuration has an identity',
      ),
    },
    stops: true,
    notes: 'Exit code: 0 stopped, 1 it could not start, or nobody takes its output any more, 2 wrong usage.',
  }),
  keygen: define({
    summary: 'add a key to the keyring',
    usage: '[options]',
    about: `Adds a new 256-bit key to the keyring and makes it the one that writes. Older keys keep reading; a
running server takes the new key up by itself. Makes the keyring where there is none.

Where several machines share a keyring, a key must be everywhere before it writes anywhere: add it with
--read-only, copy the file to every machine, then --make-current on each.

A keyring in Secrets Manager is changed in a pipe, so that no key is written to a disk:
  aws secretsmanager get-secret-value --secret-id ARN --query SecretString --output text |
    codec-server keygen --document --read-only |
    aws secretsmanager put-secret-value --secret-id ARN --secret-string file:///dev/stdin`,
    options: {
      document: flag(
        'read the keyring from standard input, write the changed one to standard output, and what was done\nto standard error; with nothing on standard input, make one',
      ),
      keyring: {
        ...taking('FILE', `the file of wrapping keys (default: ${DEFAULT_KEYRING})`),
        default: DEFAULT_KEYRING,
      },
      name: taking('NAME', 'the name of the key, which messages carry (default: made of the day and chance)'),
      'read-only': flag('the new key only reads; the key that wrote before keeps writing'),
      'make-current': taking('NAME', 'add no key: make the one of this name write'),
    },
    notes: 'Exit code: 0 done, 1 the file cannot be changed, 2 wrong usage.',
  }),
  inspect: define({
    summary: 'see which keys payloads need, without having any',
    usage: '[FILE...] [options]',
    about: `Says of every payload how it is encrypted, for which namespace and under which key, and counts payloads
per key: which keys does this history still need? Needs no key and calls nobody. It looks into payloads
that hold others, as signals of workflows and schedules do.`,
    operands: {
      FILE: `files, folders, or s3://bucket/prefix; "-" or nothing reads standard input. Any JSON with
payloads in it (the CLI's, the Web UI's downloads, the SDKs'), one document or many, and
the protobuf of Temporal Cloud's export; compressed with gzip or not`,
    },
    options: {
      summary: flag('the counts alone'),
      strict: flag('exit with 4 when anything was not understood: nothing is proven then'),
      json: JSON_OUTPUT,
    },
    notes: `  temporal workflow show -w ID --output json | codec-server inspect

What it shows is what the payloads claim: only opening one proves it.
Exit code: 0 done, 1 the input cannot be read, 2 wrong usage, 4 not proven (with --strict).`,
  }),
  decode: define({
    summary: 'decode whole histories and exports',
    usage: '[FILE...] (--endpoint URL | --keyring FILE | --config FILE) [options]',
    about: `Decodes whole histories and exports: every payload in them, also those inside other payloads. What comes
out has the form of what came in, and every other byte of it.`,
    operands: {
      FILE: `files, folders, or s3://bucket/prefix; "-" or nothing reads standard input. JSON of
the CLI, the Web UI and the SDKs, and the protobuf of Temporal Cloud's export;
compressed with gzip or not`,
    },
    options: {
      endpoint: taking('URL', "decode at this codec server, as the CLI's --codec-endpoint"),
      'token-file': taking(
        'FILE',
        'the token for it; or CODEC_SERVER_TOKEN, or TEMPORAL_CODEC_AUTH as the CLI takes it',
      ),
      'keep-references': flag('leave references to external storage as they are'),
      keyring: taking('FILE', 'decode here, with this keyring'),
      config: taking('FILE', 'decode here, with the keys of this configuration'),
      namespace: {
        ...taking('NAME', 'full name of the namespace; needed with --endpoint, and for payloads bound to none'),
        short: 'n',
      },
      output: {
        ...taking(
          'PATH',
          'a file, or a folder where there are several; nothing is overwritten, and nobody else\ncan read it (default: standard output)',
        ),
        short: 'o',
      },
      strict: flag('exit with 3 also for encodings that are not known here'),
    },
    stops: true,
    notes: `  temporal workflow show -w ID --output json | codec-server decode --keyring .codec-server/keyring.json

Exit code: 0 all decoded, 1 it failed, 2 wrong usage, 3 something stayed encrypted, with counts.`,
  }),
  'keys-in-use': define({
    summary: 'prove which keys a namespace and its exports still need',
    usage: '[options]',
    about: `Reads everything in a namespace in which payloads are (workflows open and closed, those of the system,
pending activities, schedules, standalone activities and Nexus operations, worker deployments), and
exports, and says which keys are needed, by what, and until when. Needs no key, and changes nothing.
"Not needed" is said only when it is proven.`,
    options: {
      ...CONNECTION_OPTIONS,
      export: {
        ...taking('PATH', 'a file, a folder or s3://bucket/prefix with histories that are kept; repeatable'),
        multiple: true,
      },
      'only-exports': flag('do not look at a server'),
      key: taking('NAME', 'the key in question, as inspect names it: codec-server/2025-01-01-a1b2c3, an ARN'),
      rate: RATE,
      state: taking('FILE', 'keep what was found in closed workflows, and go on from there the next time'),
      json: JSON_OUTPUT,
    },
    notes: `Exit code: with --key 0 not needed, and proven; 3 needed; 4 not proven. Without it 0 everything was
read, 4 not everything. 1 it failed, 2 wrong usage.`,
  }),
  reencrypt: define({
    summary: 'encrypt schedules again with the key that writes now',
    usage: 'schedules --from KEY (--keyring FILE | --config FILE) [options]',
    about: `Schedules keep the input of the workflows that they start, for as long as they are there. This encrypts it
again with the key that writes now: nothing else of a schedule changes. Without --apply it only says what
it would do. Histories cannot be encrypted again: they go with their retention.`,
    operands: { schedules: 'what to encrypt again' },
    options: {
      from: taking('KEY', 'the key to get rid of, as keys-in-use and inspect name it'),
      keyring: taking('FILE'),
      config: taking('FILE', 'the keys: --from to read, and another one that writes'),
      apply: flag('do it'),
      ...CONNECTION_OPTIONS,
      rate: { ...RATE, help: 'calls a second at most (default: 100; schedules: 5)' },
      json: JSON_OUTPUT,
    },
    stops: true,
    notes: `Ended in the middle, it finishes the schedule that it is at; run again, it goes on from there.

Exit code: 0 done (or a dry run), 1 it failed or was ended, 2 wrong usage, 3 something remains under the key.`,
  }),
  token: define({
    summary: 'make a service token',
    usage: 'NAME [options]',
    about: `Makes a service token for the CLI's --codec-auth or a remote codec. The token is shown once and kept
nowhere; the server only knows its SHA-256.`,
    operands: { NAME: "what rules and the audit log call it: { serviceToken: 'NAME' }" },
    options: {
      days: taking('N', 'days until it expires (default: never)'),
      file: taking('FILE', 'add the entry to this file (config: serviceTokens: { file }), made when there is none'),
      json: flag('token and entry as JSON'),
      check: taking('FILE', 'make nothing, but say whether this list can be put into the secret or file in force'),
    },
    notes: `To rotate a token, make another one of the same NAME, hand it out, then remove the older entry.
Exit code: 0 made (or the list can be used), 1 the file cannot be used, 2 wrong usage.`,
  }),
  'check-config': define({
    summary: 'check a configuration, and print who may do what where',
    usage: '[FILE] [options]',
    about: `Checks a configuration file and prints who may do what where, with warnings about what is probably not meant.`,
    operands: { FILE: 'a TypeScript or JavaScript module (default: environments/local.ts)' },
    options: {
      'service-tokens': taking('FILE'),
      'static-keys': taking('FILE'),
      'session-keys': taking('FILE', 'check these documents, too, before they are put into their secrets'),
      strict: flag('exit code 1 for warnings, too'),
      json: flag('problems, warnings and policy as JSON'),
    },
    notes: 'Exit code: 0 the configuration can be used, 1 it cannot, 2 wrong usage.',
  }),
  doctor: define({
    summary: 'examine a running codec server',
    usage: 'URL [options]',
    about: `Checks a running codec server as the Web UI and the CLI would use it: name, TLS, redirects, paths,
CORS, tokens, round trip, sizes, latency. Changes nothing and stores nothing. With --address or --profile it
asks Temporal what the namespace takes, and shows how much of that encryption leaves.`,
    operands: { URL: 'the endpoint as it stands in the Namespace settings' },
    options: {
      ...CONNECTION_OPTIONS,
      address: taking('HOST:PORT', 'of the Temporal server'),
      namespace: {
        ...taking('NAME', 'namespace of the round trip, in full (default: that of the profile, or default)'),
        short: 'n',
      },
      token: taking('TOKEN', 'a token that may decode and encode in it; better: CODEC_SERVER_TOKEN in the environment'),
      'expired-token': taking('TOKEN', 'a genuine token that has expired, to see that it is refused'),
      origin: {
        ...taking('ORIGIN', "the Web UI's origin (default: https://cloud.temporal.io)"),
        default: 'https://cloud.temporal.io',
      },
      strict: flag('exit code 1 for a warning as well, for pipelines'),
      json: flag('findings as JSON'),
    },
    notes: 'Exit code: 0 all is well (there may be warnings without --strict), 1 something failed, 2 wrong usage.',
  }),
  completion: define({
    summary: 'complete commands, options and files in a shell',
    usage: 'SHELL',
    about: 'Prints what makes a shell complete the commands, options and files of codec-server.',
    operands: {
      bash: 'in ~/.bashrc:  source <(codec-server completion bash)',
      zsh: 'in ~/.zshrc, after compinit:  source <(codec-server completion zsh)',
      fish: 'in ~/.config/fish/config.fish:  codec-server completion fish | source',
    },
    options: {},
    notes: 'Exit code: 0 printed, 2 wrong usage.',
  }),
};

/** A command's name. */
export type CommandName = keyof typeof COMMANDS;
