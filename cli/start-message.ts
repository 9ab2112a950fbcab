/** What `codec-server start` says once it listens: enough to use the server without reading anything else. */
import type { CodecPipeline } from '../lambda/server/http/message.ts';

/** What there is to say. */
export interface StartFacts {
  /** The endpoint to paste, such as `http://localhost:8888`. */
  readonly endpoint: string;
  /** Every address it listens on. */
  readonly addresses: readonly string[];
  readonly keyring: { readonly path: string; readonly made: boolean } | undefined;
  /** A command that decodes a payload of this server; undefined where there is none to show. */
  readonly curl: string | undefined;
  /** The pages that may ask. */
  readonly origins: readonly string[];
  /** Whether callers have to say who they are. */
  readonly asksWho: boolean;
  /** Absolute path of the certificate that it serves https with. */
  readonly certificate: string | undefined;
}

/** The value that the payload of the curl command holds. */
const GREETING = 'Hello from your codec server';

const HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/**
 * A command line that decodes a payload that is really encrypted, by asking the pipeline itself.
 *
 * @returns undefined when the pipeline does not encode for `namespace`
 */
export async function curlThatDecodes(
  pipeline: CodecPipeline,
  endpoint: string,
  namespace: string,
): Promise<string | undefined> {
  const plain = {
    metadata: { encoding: Buffer.from('json/plain').toString('base64') },
    data: Buffer.from(JSON.stringify(GREETING)).toString('base64'),
  };
  const headers: Readonly<Record<string, string>> = { ...HEADERS, 'x-namespace': namespace };
  const { status, body } = await pipeline({
    method: 'POST',
    path: '/encode',
    query: '',
    header: (name) => (headers[name] === undefined ? [] : [headers[name]]),
    body: Buffer.from(JSON.stringify({ payloads: [plain] })),
    deadline: Date.now() + 5_000,
    requestId: 'start',
  });
  if (status !== 200) return undefined;
  return `curl -s ${endpoint}/decode -H 'content-type: application/json' -d '${body}'`;
}

/** The message, ready to print. */
export function startMessage(facts: StartFacts): string {
  const { endpoint, addresses, keyring, curl, origins, asksWho, certificate } = facts;
  const lines = [`Codec server at ${endpoint} (listening on ${addresses.join(' and ')})`];
  if (keyring !== undefined) {
    lines.push(
      keyring.made
        ? `Keyring:  ${keyring.path}, made just now. What it encrypts, only it can decrypt: keep it.`
        : `Keyring:  ${keyring.path}`,
    );
  }
  lines.push(
    `CLI:      ${trusting(certificate)}temporal workflow show --detailed --workflow-id YOUR-WORKFLOW --codec-endpoint ${endpoint}${asksWho ? ' --codec-auth "Bearer TOKEN"' : ''}`,
    '          (to install `temporal`: https://docs.temporal.io/cli)',
    `Web UI:   Configure Codec Server (glasses, top right): ${endpoint}`,
    `          or for all who use a dev server: temporal server start-dev --ui-codec-endpoint ${endpoint}`,
  );
  lines.push(`Origins:  ${origins.length === 0 ? 'none' : origins.join(', ')} (start with --origin to allow one more)`);
  if (curl !== undefined) {
    lines.push(
      '',
      'Try it: this decodes a payload that was encrypted just now.',
      '',
      curl,
      '',
      `The "data" of the answer is the base64 of ${JSON.stringify(GREETING)}; to see it, append`,
      `  | node -p 'Buffer.from(JSON.parse(fs.readFileSync(0)).payloads[0].data, "base64").toString()'`,
    );
  }
  lines.push('', 'Ctrl-C stops it.', '');
  return lines.join('\n');
}

/** What makes the CLI trust a certificate of one's own; on macOS and Windows it asks the system alone. */
function trusting(certificate: string | undefined): string {
  if (certificate === undefined) return '';
  return `SSL_CERT_FILE=${/^[\w./-]+$/.test(certificate) ? certificate : `'${certificate}'`} `;
}
