import { expect, it } from '@jest/globals';
import { describeAttacks } from '../attack/suite.ts';
import { type AttackConfig, type AttackTarget, sendRaw } from '../attack/target.ts';
import { KmsStandIn } from '../support/kms-stand-in.ts';
import { environmentWith } from './environment.ts';
import { type Deployed, startDeployed } from './support/start-deployed.ts';

interface DeployedTarget extends AttackTarget {
  readonly deployed: Deployed;
}

/** The synthesized stack: gateway, function in a process of its own, KMS and Secrets Manager by their protocols. */
async function startTarget({
  identity,
  access,
  origin,
  serviceTokens,
  certificate,
}: AttackConfig): Promise<DeployedTarget> {
  const kms = await KmsStandIn.start();
  const deployed = await startDeployed(
    environmentWith({ identity, access, cors: { origins: [origin], credentials: false } }),
    {
      kms,
      trust: [certificate],
      secretTexts: { SecretsServiceTokens: serviceTokens },
    },
  );
  const port = Number(new URL(deployed.endpoint).port);
  return {
    deployed,
    keyCalls: () => kms.calls.length,
    send: (request) => sendRaw(request, { port }),
    async close() {
      await deployed.close();
      await kms.close();
    },
  };
}

/** The gateway has a route for POST alone, decodes the path before it routes, and takes 10,240 bytes of headers. */
const GATEWAY_ANSWERS = {
  'GET /decode without a token': 404,
  'PUT /decode without a token': 404,
  'DELETE /decode without a token': 404,
  'HEAD /decode without a token': 404,
  'POST /%64ecode without a token': 401,
  'a key id of 10 KB': 431,
};

describeAttacks(
  'the synthesized stack',
  startTarget,
  (world) => {
    it('make the function fetch its issuer’s keys a few times for each instance, not once an attack', () => {
      expect(world().issuer.requests).toBeLessThanOrEqual(10);
    });
  },
  GATEWAY_ANSWERS,
);
