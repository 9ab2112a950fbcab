/** The synthesized stack as a target of the contract suite. */
import { Agent } from 'node:http';
import { makeServiceToken } from '../../../lambda/server/auth/service-tokens.ts';
import { sendOverHttp } from '../../contract/local.ts';
import { CONTRACT_CONFIG, READER_EMAIL, type TargetKind, type Who, WORKER_NAME } from '../../contract/target.ts';
import { HttpsIssuer } from '../../support/https-issuer.ts';
import { testCertificate } from '../../support/https-stand-in.ts';
import { environmentWith } from '../environment.ts';
import type { FrontUnderTest } from '../fronts.ts';
import { startDeployed } from './start-deployed.ts';

/** The synthesized stack behind a front of its template. */
export function synthesizedStack({ name, front, from }: Partial<FrontUnderTest> = {}): TargetKind {
  return {
    name: `the synthesized stack${name === undefined ? '' : ` behind ${name}`}`,
    ownsCors: true,
    behindGateway: true,
    variants: false,
    async start() {
      const issuer = await HttpsIssuer.start();
      const worker = makeServiceToken(WORKER_NAME);
      const deployed = await startDeployed(
        environmentWith(
          {
            ...CONTRACT_CONFIG,
            identity: {
              issuers: [
                {
                  type: 'oidc',
                  issuer: issuer.issuer,
                  jwksUri: issuer.jwksUri,
                  audience: 'codec',
                  from: 'authorization',
                },
              ],
              serviceTokens: { secret: 'created-by-stack' },
            },
          },
          front,
        ),
        {
          ...(from === undefined ? {} : { from }),
          trust: [testCertificate().cert],
          secretTexts: { SecretsServiceTokens: JSON.stringify({ tokens: [worker.entry] }) },
        },
      );
      const tokens: Readonly<Record<Exclude<Who, 'nobody'>, string>> = {
        writer: issuer.token({ email: 'writer@example.com' }),
        reader: issuer.token({ email: READER_EMAIL }),
        outsider: issuer.token({ email: 'outsider@example.com' }),
        worker: worker.token,
      };
      const agent = new Agent({ keepAlive: true });
      const { port, pathname } = new URL(deployed.endpoint);
      const stage = pathname === '/' ? '' : pathname;
      return {
        send: async ({ who = 'writer', headers = [], path = '/decode', ...request }) => {
          const proof: [string, string][] = who === 'nobody' ? [] : [['authorization', `Bearer ${tokens[who]}`]];
          const given = headers.some(([name]) => name.toLowerCase() === 'authorization');
          const answer = await sendOverHttp(agent, Number(port), {
            ...request,
            path: `${stage}${path}`,
            who: 'nobody',
            headers: given ? headers : [...headers, ...proof],
          });
          return { ...answer, headers: asWritten(answer.headers) };
        },
        close: async () => {
          agent.destroy();
          await deployed.close();
          await issuer.close();
        },
      };
    },
  };
}

/** A REST API passes `WWW-Authenticate` on by another name. */
export function asWritten<T>(headers: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.replace(/^x-amzn-remapped-/, ''), value]),
  );
}
