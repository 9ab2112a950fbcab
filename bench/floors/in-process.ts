/**
 * Decoding without HTTP, in a loop that accounts for itself: the floor's, or our pipeline. A process
 * of its own, so that nothing else warms its code.
 */
import config from '../../environments/local.ts';
import { loopbackAuthenticator } from '../../lambda/server/auth/authenticator.ts';
import { createCodecServer } from '../../lambda/server/create-codec-server.ts';
import { LOCAL_LIMITS } from '../../lambda/server/http/message.ts';
import { openServerKeys } from '../../lambda/server/open-keys.ts';
import { NAMESPACE } from '../formats.ts';
import type { Exchange } from '../load/job.ts';
import { Verifier } from '../load/verify.ts';
import { plainDecode } from './plain-decode.ts';

/** Bodies to decode, for how long, and with what. */
export interface InProcessJob {
  readonly exchanges: readonly Exchange[];
  readonly ms: number;
  /** Decode with our pipeline and this keyring file; undefined: with the floor's code. */
  readonly keyring: string | undefined;
}

export interface InProcessResult {
  readonly requests: number;
  readonly cpuMs: number;
}

type Decode = (body: Buffer) => Promise<string | Uint8Array>;

async function pipelineDecode(keyring: string): Promise<Decode> {
  const keys = await openServerKeys({ ...config.keys, keyring: { file: keyring } }, { cwd: '/' });
  const pipeline = createCodecServer(
    config,
    {
      keys,
      authenticator: loopbackAuthenticator,
    },
    {
      audit: { record: () => undefined },
      limits: LOCAL_LIMITS,
      onBug: (error) => {
        throw error;
      },
    },
  );
  const headers: Record<string, readonly string[]> = {
    'content-type': ['application/json'],
    'x-namespace': [NAMESPACE],
  };
  const NONE: readonly string[] = [];
  return async (body) => {
    const answer = await pipeline({
      method: 'POST',
      path: '/decode',
      query: '',
      header: (name) => headers[name] ?? NONE,
      body,
      deadline: Number.POSITIVE_INFINITY,
      requestId: 'bench',
    });
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    return answer.body;
  };
}

process.on('message', ({ exchanges, ms, keyring }: InProcessJob) => {
  void (async () => {
    const decode: Decode = keyring === undefined ? async (body) => plainDecode(body) : await pipelineDecode(keyring);
    for (const exchange of exchanges) new Verifier(exchange).check(200, Buffer.from(await decode(exchange.body)));
    const run = async (until: number): Promise<number> => {
      let requests = 0;
      while (performance.now() < until)
        for (const { body } of exchanges) requests += (await decode(body)).length > 0 ? 1 : 0;
      return requests;
    };
    await run(performance.now() + ms / 2);
    const cpu = process.cpuUsage();
    const requests = await run(performance.now() + ms);
    const { user, system } = process.cpuUsage(cpu);
    process.send?.({ requests, cpuMs: (user + system) / 1000 } satisfies InProcessResult);
  })();
});
