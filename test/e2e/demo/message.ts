/** What the demo says once everything runs. A line that is indented is a command, an address, or what came out of one. */

/** What there is to say. */
export interface DemoFacts {
  /** The Temporal CLI, as somebody can type it in the folder they are in. */
  readonly temporal: string;
  /** `host:port` of the Temporal server. */
  readonly address: string;
  /** The codec server's endpoint. */
  readonly endpoint: string;
  /** Where everything that the codec server prints is written to, too. */
  readonly log: string;
  readonly workflowId: string;
  /** The page of a workflow in the Web UI: under the name that the codec server allows, and under the one it does not. */
  readonly pages: { readonly readable: string; readonly stored: string; readonly denied: string };
  /** Origin of the Web UI that may ask. */
  readonly origin: string;
  /** The namespace that no rule is about. */
  readonly deniedNamespace: string;
  /** What stands in the Web UI in place of its payloads. */
  readonly explanation: string;
  /** Payloads as they are stored beside what they say. */
  readonly table: readonly string[];
  /** The audit lines of a request that was served and of one that was not. */
  readonly audit: readonly string[];
}

/** The commands that the demo prints; the two first ones it has run itself. */
export function demoCommands({ temporal, address, endpoint, workflowId }: DemoFacts) {
  const where = `-w ${workflowId} -n default --address ${address}`;
  return {
    stored: `${temporal} workflow show --detailed ${where}`,
    read: `${temporal} workflow show --detailed ${where} --codec-endpoint ${endpoint}`,
    signal: `${temporal} workflow signal ${where} --codec-endpoint ${endpoint} --name ship --input '{"address":"12 Secret Street"}'`,
    result: `${temporal} workflow result ${where} --codec-endpoint ${endpoint}`,
  };
}

/** The message, ready to print. */
export function demoMessage(facts: DemoFacts): string {
  const { pages, origin, deniedNamespace, explanation, table, audit, log } = facts;
  const { stored, read, signal, result } = demoCommands(facts);
  const indented = (lines: readonly string[]) => lines.map((line) => `    ${line}`).join('\n');
  return `
1. Left is what Temporal has stored, right is what you read through the codec server. It is the output of

${indented([stored, read])}

${indented(table)}

2. The same in a browser. Open these two side by side; they are one Web UI under two names:

${indented([pages.stored, pages.readable])}

   The codec server answers pages of ${origin} and of nowhere else (cors.origins).

3. Without a right. No access rule is about the namespace ${deniedNamespace}, so the Web UI shows one sentence in place of a payload:

${indented([pages.denied, explanation])}

4. Who read what. Each request leaves one audit line; here are one that was served and the one that was not:

${indented(audit)}

   To see a line appear for each page that you open:

${indented([`tail -f ${log}`])}

5. The workflow waits for a signal. The CLI encrypts what you send, and decrypts the result:

${indented([signal, result])}

The commands are for another terminal, in this folder. Ctrl-C ends the demo.
`;
}
