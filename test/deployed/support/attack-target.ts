/** The synthesized stack as a target of the attack suite. */
import { type AttackConfig, type AttackTarget, type AuditLine, eventually, sendRaw } from '../../attack/target.ts';
import { SecretsManagerStandIn } from '../../support/secrets-manager-stand-in.ts';
import { environmentWith } from '../environment.ts';
import type { FrontUnderTest } from '../fronts.ts';
import { asWritten } from './contract-target.ts';
import { type Deployed, startDeployed } from './start-deployed.ts';

export interface DeployedTarget extends AttackTarget {
  readonly deployed: Deployed;
  readonly secrets: SecretsManagerStandIn;
}

/** The synthesized stack: gateway, function in a process of its own, KMS and Secrets Manager by their protocols. */
export async function startTarget(
  { identity, access, origin, serviceTokens, keys, kms, cloudApiKey, certificate }: AttackConfig,
  { front, from }: Partial<FrontUnderTest> = {},
): Promise<DeployedTarget> {
  const secrets = await SecretsManagerStandIn.start();
  const deployed = await startDeployed(
    environmentWith(
      {
        identity,
        access,
        cors: { origins: [origin], credentials: false },
        keys: { keyring: null, kms: keys, staticKeys: null },
      },
      front,
    ),
    {
      kms,
      secrets,
      ...(from === undefined ? {} : { from }),
      trust: [certificate],
      secretTexts: { SecretsServiceTokens: serviceTokens, SecretsCloudApiKey: cloudApiKey },
      freezes: true,
    },
  );
  const { port, pathname } = new URL(deployed.endpoint);
  const stage = pathname === '/' ? '' : pathname;
  const { lambda } = deployed;
  let moved = 0;
  return {
    deployed,
    secrets,
    keyCalls: () => kms.calls.length,
    async send(request) {
      const answer = await sendRaw({ ...request, path: `${stage}${request.path}` }, { port: Number(port) });
      return { ...answer, headers: asWritten(answer.headers) };
    },
    auditLine: (requestId) =>
      eventually(`audit line of ${requestId}`, () => {
        const line = lambda.log.find((it) => it.includes('"type":"audit"') && it.includes(requestId));
        return line === undefined ? undefined : (JSON.parse(line) as AuditLine);
      }),
    logged: (...texts) => lambda.logged((line) => texts.every((text) => line.includes(text))),
    putServiceTokens: (text) => secrets.putSecretValue(deployed.secretArn('SecretsServiceTokens'), text),
    async later(milliseconds) {
      const [instance] = lambda.instances;
      if (instance === undefined) throw new Error('there is no instance to freeze');
      await eventually('idle instance', () => instance.isIdle || undefined);
      moved += milliseconds;
      await instance.freeze(milliseconds);
    },
    now: () => Date.now() + moved,
    async restart() {
      await lambda.coolDown();
      moved = 0;
    },
    async close() {
      await deployed.close();
      await secrets.close();
    },
  };
}
