/** The synthesized stack as a target of the attack suite. */
import { type AttackConfig, type AttackTarget, sendRaw } from '../../attack/target.ts';
import { KmsStandIn } from '../../support/kms-stand-in.ts';
import { environmentWith } from '../environment.ts';
import type { FrontUnderTest } from '../fronts.ts';
import { asWritten } from './contract-target.ts';
import { type Deployed, startDeployed } from './start-deployed.ts';

interface DeployedTarget extends AttackTarget {
  readonly deployed: Deployed;
}

/** The synthesized stack: gateway, function in a process of its own, KMS and Secrets Manager by their protocols. */
export async function startTarget(
  { identity, access, origin, serviceTokens, certificate }: AttackConfig,
  { front, from }: Partial<FrontUnderTest> = {},
): Promise<DeployedTarget> {
  const kms = await KmsStandIn.start();
  const deployed = await startDeployed(
    environmentWith({ identity, access, cors: { origins: [origin], credentials: false } }, front),
    {
      kms,
      ...(from === undefined ? {} : { from }),
      trust: [certificate],
      secretTexts: { SecretsServiceTokens: serviceTokens },
    },
  );
  const { port, pathname } = new URL(deployed.endpoint);
  const stage = pathname === '/' ? '' : pathname;
  return {
    deployed,
    keyCalls: () => kms.calls.length,
    async send(request) {
      const answer = await sendRaw({ ...request, path: `${stage}${request.path}` }, { port: Number(port) });
      return { ...answer, headers: asWritten(answer.headers) };
    },
    async close() {
      await deployed.close();
      await kms.close();
    },
  };
}
