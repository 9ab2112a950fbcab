/** The codec server as it is deployed: the synthesized stack behind its gateway, with stand-ins for AWS. */
import { createPayloadCodec } from '../../../codec/index.ts';
import type { EnvironmentConfig } from '../../../config/environment.ts';
import dev from '../../../environments/dev.ts';
import { type Deployed, startDeployed } from '../../deployed/support/start-deployed.ts';
import { KmsStandIn } from '../../support/kms-stand-in.ts';
import type { Certificate } from './certificates.ts';
import type { Host } from './stage.ts';

/** The development environment with changes. */
export interface DeployedServerOptions {
  readonly config: Partial<EnvironmentConfig>;
  /** Of gateway and issuer; the function trusts it. */
  readonly certificate: Certificate;
  /** What the secret of service tokens holds. */
  readonly serviceTokens: string;
}

/** A deployed codec server, and what is behind it. */
export interface DeployedServer extends Host {
  readonly deployed: Deployed;
}

/** Deploys the development environment, throttling and all, on loopback. */
export async function startDeployedServer(options: DeployedServerOptions): Promise<DeployedServer> {
  const { config, certificate, serviceTokens } = options;
  const kms = await KmsStandIn.start();
  const deployed = await startDeployed(
    { ...dev, ...config },
    {
      kms,
      trust: [certificate.cert],
      tls: certificate,
      secretTexts: { SecretsServiceTokens: serviceTokens },
      maxInstances: 4,
    },
  );
  // Where workers of this process find KMS.
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    AWS_ACCESS_KEY_ID: kms.client.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: kms.client.credentials.secretAccessKey,
  });
  const { keyArn } = deployed;
  if (keyArn === undefined) throw new Error('the stack made no key');
  return {
    deployed,
    origin: deployed.endpoint,
    workerCodec: (namespace) => createPayloadCodec({ namespace, keys: { kms: keyArn } }),
    async stop() {
      await deployed.close();
      await kms.close();
    },
  };
}
