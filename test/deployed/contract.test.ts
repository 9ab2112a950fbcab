import { Agent } from 'node:http';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { describeContract } from '../contract/contract.ts';
import { sendOverHttp } from '../contract/local.ts';
import { CONTRACT_CONFIG, READER_EMAIL, type TargetKind, type Who, WORKER_NAME } from '../contract/target.ts';
import { HttpsIssuer } from '../support/https-issuer.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { environmentWith } from './environment.ts';
import { startDeployed } from './support/start-deployed.ts';

const SYNTHESIZED_STACK: TargetKind = {
  name: 'the synthesized stack',
  ownsCors: true,
  behindGateway: true,
  variants: false,
  async start() {
    const issuer = await HttpsIssuer.start();
    const worker = makeServiceToken(WORKER_NAME);
    const deployed = await startDeployed(
      environmentWith({
        ...CONTRACT_CONFIG,
        identity: {
          issuers: [
            { type: 'oidc', issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: 'codec', from: 'authorization' },
          ],
          serviceTokens: { secret: 'created-by-stack' },
        },
      }),
      {
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
    const port = Number(new URL(deployed.endpoint).port);
    return {
      send: ({ who = 'writer', headers = [], ...request }) => {
        const proof: [string, string][] = who === 'nobody' ? [] : [['authorization', `Bearer ${tokens[who]}`]];
        const given = headers.some(([name]) => name.toLowerCase() === 'authorization');
        return sendOverHttp(agent, port, {
          ...request,
          who: 'nobody',
          headers: given ? headers : [...headers, ...proof],
        });
      },
      close: async () => {
        agent.destroy();
        await deployed.close();
        await issuer.close();
      },
    };
  },
};

describeContract(SYNTHESIZED_STACK);
