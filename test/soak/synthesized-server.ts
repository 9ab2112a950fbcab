/** The synthesized stack: a fresh bundle, an instance for each event at a time, behind the gateway of its template. */
import { readFileSync } from 'node:fs';
import dev from '../../environments/dev.ts';
import { type Deployed, startDeployed } from '../deployed/support/start-deployed.ts';
import { soakConfig } from './config.ts';
import { type Dependencies, residentMegabytesOf, type ServerUnderSoak } from './server.ts';

/** Instances at once, as `deployment.concurrency.reserved` says it. */
const RESERVED = 8;
/** Requests a second, and at once, that the gateway lets through. */
const THROTTLING = { rate: 500, burst: 250 };

export async function startSynthesizedServer({ issuer, kms, keys, trusted }: Dependencies): Promise<ServerUnderSoak> {
  const config = {
    ...soakConfig({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, keys }),
    deployment: {
      ...dev.deployment,
      throttling: THROTTLING,
      concurrency: { reserved: RESERVED, provisioned: null },
    },
  };
  const deployed = await startDeployed(config, { name: 'soak', kms, trust: [readFileSync(trusted, 'utf8')] });
  const { lambda, api } = deployed;
  const seen = { audit: 0, errors: 0, firstError: '' };
  const tidy = (): void => {
    for (const line of lambda.log.splice(0)) {
      if (line.includes('"type":"audit"')) seen.audit++;
      else if (line.includes('"level":"ERROR"')) lambda.errors.push(line);
    }
    seen.firstError ||= lambda.errors[0] ?? '';
    seen.errors += lambda.errors.splice(0).length;
    api.accesses.length = 0;
  };
  return {
    name: 'the synthesized stack',
    port: Number(new URL(deployed.endpoint).port),
    bodyBytes: 4_000_000,
    connections: RESERVED,
    // more than the gateway lets through at once, and far more than there are instances
    tooMuch: { requests: 1_000, bytes: 300 },
    residentMegabytes: () => Math.max(...instanceMegabytes(deployed)),
    tidy,
    async stop() {
      const { instances, started } = lambda;
      const invocations = lambda.invocations - lambda.throttled;
      tidy();
      await deployed.close();
      tidy();
      return [
        ...(started > RESERVED ? [`${started} instances were started for ${RESERVED} at once: some ended`] : []),
        ...(instances.length === 0 ? ['no instance was alive at the end'] : []),
        ...(seen.errors > 0 ? [`${seen.errors} errors in the log, the first: ${seen.firstError}`] : []),
        ...(seen.audit === invocations ? [] : [`${seen.audit} audit lines of ${invocations} invocations`]),
      ];
    },
  };
}

function instanceMegabytes({ lambda }: Deployed): number[] {
  return lambda.instances.map(({ processId }) =>
    residentMegabytesOf(() => readFileSync(`/proc/${processId}/status`, 'utf8')),
  );
}
