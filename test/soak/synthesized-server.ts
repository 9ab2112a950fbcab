/** The synthesized stack: the function as the package brings it, an instance for each event at a time, behind the gateway of its template, of either kind. */
import { readFileSync } from 'node:fs';
import dev from '../../environments/dev.ts';
import { type FrontUnderTest, PRIVATE } from '../deployed/fronts.ts';
import { type Deployed, startDeployed } from '../deployed/support/start-deployed.ts';
import { soakConfig } from './config.ts';
import { type Dependencies, residentMegabytesOf, type ServerUnderSoak } from './server.ts';

/** Instances at once, as `deployment.concurrency.reserved` says it. */
const RESERVED = 8;
/** Requests a second, and at once, that the gateway lets through. */
const THROTTLING = { rate: 500, burst: 250 };

/** Behind the HTTP API. */
export function startSynthesizedServer(dependencies: Dependencies): Promise<ServerUnderSoak> {
  return startBehind(dependencies, {}, [429, 503]);
}

/** Behind a private REST API, whose preflights go to the function as well, and which says 502 where no instance is free. */
export function startRestServer(dependencies: Dependencies): Promise<ServerUnderSoak> {
  return startBehind(dependencies, PRIVATE, [429, 502]);
}

async function startBehind(
  { issuer, kms, keys, trusted }: Dependencies,
  { name, front, from }: Partial<FrontUnderTest>,
  refusals: readonly number[],
): Promise<ServerUnderSoak> {
  const config = {
    ...soakConfig({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, keys }),
    deployment: {
      ...dev.deployment,
      throttling: THROTTLING,
      concurrency: { reserved: RESERVED, provisioned: null },
      ...(front === undefined ? {} : { front }),
    },
  };
  const deployed = await startDeployed(config, {
    name: 'soak',
    kms,
    trust: [readFileSync(trusted, 'utf8')],
    ...(from === undefined ? {} : { from }),
  });
  const { lambda, api } = deployed;
  const seen = { audit: 0, preflights: 0, errors: 0, firstError: '' };
  const tidy = (): void => {
    for (const line of lambda.log.splice(0)) {
      if (line.includes('"type":"audit"')) seen.audit++;
      else if (line.includes('"level":"ERROR"')) lambda.errors.push(line);
    }
    seen.firstError ||= lambda.errors[0] ?? '';
    seen.errors += lambda.errors.splice(0).length;
    // Lambda answers a preflight without work, and nobody is accounted for; the gateway's own answers have no route.
    seen.preflights += api.accesses
      .splice(0)
      .filter(({ method, route, status }) => method === 'OPTIONS' && route !== '-' && status < 500).length;
  };
  return {
    name: `the synthesized stack${name === undefined ? '' : ` behind ${name}`}`,
    port: Number(new URL(deployed.endpoint).port),
    prefix: new URL(deployed.endpoint).pathname.replace(/\/$/, ''),
    bodyBytes: 4_000_000,
    connections: RESERVED,
    // more than the gateway lets through at once, and far more than there are instances
    tooMuch: { requests: 1_000, bytes: 300 },
    refusals,
    residentMegabytes: () => Math.max(...instanceMegabytes(deployed)),
    tidy,
    async stop() {
      // Each line about an answer is written when it is given, and comes through the pipe in its own time.
      const busy = await lambda.idle().then(
        () => [],
        (error: Error) => [error.message],
      );
      const { instances, started } = lambda;
      const invocations = lambda.invocations - lambda.throttled;
      tidy();
      await deployed.close();
      tidy();
      return [
        ...busy,
        ...(started > RESERVED ? [`${started} instances were started for ${RESERVED} at once: some ended`] : []),
        ...(instances.length === 0 ? ['no instance was alive at the end'] : []),
        ...(seen.errors > 0 ? [`${seen.errors} errors in the log, the first: ${seen.firstError}`] : []),
        ...(seen.audit + seen.preflights === invocations
          ? []
          : [`${seen.audit} audit lines and ${seen.preflights} preflights of ${invocations} invocations`]),
      ];
    },
  };
}

function instanceMegabytes({ lambda }: Deployed): number[] {
  return lambda.instances.map(({ processId }) =>
    residentMegabytesOf(() => readFileSync(`/proc/${processId}/status`, 'utf8')),
  );
}
