/**
 * Deploys an environment on loopback: synthesizes it as `cdk synth` does, reads what came out, and
 * runs that: the template's routes, CORS, throttling, function, environment and code, in front of
 * stand-ins for KMS and Secrets Manager (or whatever speaks their protocols).
 *
 * ```ts
 * const deployed = await startDeployed(config, { trust: [testCertificate().cert] });
 * await fetch(`${deployed.endpoint}/decode`, …);
 * await deployed.close();
 * ```
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { type EnvironmentConfig, isRestApi } from '../../../config/environment.ts';
import { buildFunction, PROJECT_ROOT } from '../../../lib/bundle/bundle.ts';
import { CodecServerStack } from '../../../lib/codec-server-stack.ts';
import { codecsOf, prebuiltCode } from '../../../lib/function-code.ts';
import { stackNameOf } from '../../../lib/names.ts';
import { KmsStandIn } from '../../support/kms-stand-in.ts';
import { SecretsManagerStandIn } from '../../support/secrets-manager-stand-in.ts';
import type { HttpApi } from './http-api.ts';
import { LambdaService } from './lambda-service.ts';
import type { CallerPlace } from './resource-policy.ts';
import type { RestApi } from './rest-api.ts';
import { startApi } from './start-api.ts';
import { DeployedTemplate, type TemplateResource } from './template.ts';

const REGION = 'eu-central-1';

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The name of the bucket that a stack makes. */
export const PAYLOAD_BUCKET = 'codecserver-payloads';

/** Something that speaks KMS's protocol and can make a key. */
export interface KmsService {
  readonly endpoint: string;
  createKey(): string | Promise<string>;
}

/** Something that speaks Secrets Manager's protocol and can make a secret. */
export interface SecretsService {
  readonly endpoint: string;
  createSecret(name: string, text: string): string | Promise<string>;
}

/** Something that speaks S3's protocol and has, or needs, no buckets made. */
export interface S3Service {
  readonly endpoint: string;
  createBucket?(name: string): void | Promise<void>;
}

export interface DeployOptions {
  /** The environment's name. Default `test`. */
  readonly name?: string;
  /** A module of codecs of a team's own. */
  readonly codecsEntry?: string;
  /** Default: stand-ins in this process, which end with the deployment. */
  readonly kms?: KmsService;
  readonly secrets?: SecretsService;
  /** Needed where the stack makes a bucket, or uses one. */
  readonly s3?: S3Service;
  /** Certificates, PEM, that the function trusts beside the public ones. */
  readonly trust?: readonly string[];
  /** Serves HTTPS with this certificate instead of plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The port of the gateway, for an environment that has to know its own address. Default: a free one. */
  readonly port?: number;
  /** Where requests come from, for a REST API that asks. Default: an address of the internet. */
  readonly from?: CallerPlace;
  /** The most instances of the function at once. Default: those that the environment reserves, else 2. */
  readonly maxInstances?: number;
  /** Texts of the secrets that the stack makes, by the logical id's beginning, such as `SecretsServiceTokens`. */
  readonly secretTexts?: Readonly<Record<string, string>>;
  /** Gives the function clocks that {@link LambdaInstance.freeze} can move; one instance at a time. */
  readonly freezes?: boolean;
}

/** An environment that runs. */
export interface Deployed {
  /** As the output `CodecEndpoint` has it: without trailing slash. */
  readonly endpoint: string;
  /** ARN of the key that the stack made, if it made one. */
  readonly keyArn: string | undefined;
  /** The ARN of a secret that the stack made, by the logical id's beginning. */
  secretArn(prefix: string): string;
  readonly template: DeployedTemplate;
  /** The folder of the function's code. */
  readonly code: string;
  readonly lambda: LambdaService;
  readonly api: HttpApi | RestApi;
  close(): Promise<void>;
}

/** Synthesizes an environment and runs what came out. */
export async function startDeployed(config: EnvironmentConfig, options: DeployOptions = {}): Promise<Deployed> {
  const cache = join(PROJECT_ROOT, '.cache', 'deployed');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'run-'));
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const template = await synthesize(config, folder, options);
    const kms = options.kms ?? (await owned(KmsStandIn.start(), closing));
    const secrets = options.secrets ?? (await owned(SecretsManagerStandIn.start(), closing));
    const { keyArn, secretArns } = await createResources(template, kms, secrets, options.secretTexts ?? {});

    const [functionId, lambdaResource] = template.one('AWS::Lambda::Function', 'CodecFunction');
    for (const [id] of template.ofType('AWS::S3::Bucket')) {
      await options.s3?.createBucket?.(PAYLOAD_BUCKET);
      template.provide(id, { ref: PAYLOAD_BUCKET, attributes: { Arn: `arn:aws:s3:::${PAYLOAD_BUCKET}` } });
    }
    const surroundings = {
      ...endpointsOf(kms, secrets),
      ...(options.s3 === undefined ? {} : { AWS_ENDPOINT_URL_S3: options.s3.endpoint }),
      ...trustedBy(options.trust, folder),
    };
    const clockFile = options.freezes ? join(folder, 'clock') : undefined;
    const maxInstances = options.freezes ? 1 : options.maxInstances;
    const lambda = startFunction(template, functionId, lambdaResource, { surroundings, maxInstances, clockFile });
    closing.push(() => lambda.close());
    const api = await startApi(template, lambda, options);
    closing.push(() => api.close());
    const secretArn = (prefix: string): string => {
      const [, arn] = [...secretArns].find(([id]) => id.startsWith(prefix)) ?? [];
      if (arn === undefined) throw new Error(`the stack makes no secret ${prefix}`);
      return arn;
    };
    const code = template.codeFolder(lambdaResource);
    return { endpoint: api.endpoint, keyArn, secretArn, template, code, lambda, api, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function synthesize(
  config: EnvironmentConfig,
  folder: string,
  options: DeployOptions,
): Promise<DeployedTemplate> {
  const app = new App({ outdir: join(folder, 'cdk.out'), analyticsReporting: false });
  const stack = await addStack(app, config, folder, options);
  const errors = stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === 'aws:cdk:error');
  if (errors.length > 0) throw new Error(errors.map(({ data }) => String(data)).join('\n'));
  return new DeployedTemplate(app.synth().directory, stack.stackName, { region: REGION });
}

/** As the app of a team does it, and a clone, but with a function that is built from this tree. */
async function addStack(
  app: App,
  config: EnvironmentConfig,
  folder: string,
  { name = 'test', codecsEntry }: DeployOptions,
): Promise<Stack> {
  const built = join(folder, 'function');
  await buildFunction(built);
  const { deployment, ...serverConfig } = config;
  const code = prebuiltCode({
    environment: name,
    config: serverConfig,
    restApi: isRestApi(deployment.front),
    codecs: codecsEntry && codecsOf(codecsEntry),
    folder: built,
  });
  return new CodecServerStack(app, stackNameOf(name), { environment: name, config, code });
}

async function owned<T extends { close(): unknown }>(starting: Promise<T>, closing: (() => unknown)[]): Promise<T> {
  const started = await starting;
  closing.push(() => started.close());
  return started;
}

/** Makes what the function's environment refers to. */
async function createResources(
  template: DeployedTemplate,
  kms: KmsService,
  secrets: SecretsService,
  texts: Readonly<Record<string, string>>,
): Promise<{ readonly keyArn: string | undefined; readonly secretArns: ReadonlyMap<string, string> }> {
  const secretArns = new Map<string, string>();
  let keyArn: string | undefined;
  for (const [id] of template.ofType('AWS::KMS::Key')) {
    const arn = await kms.createKey();
    template.provide(id, { ref: arn.split('/')[1] ?? arn, attributes: { Arn: arn } });
    if (id.startsWith('Encryption')) keyArn = arn;
  }
  for (const [id, { Properties }] of template.ofType('AWS::SecretsManager::Secret')) {
    const text = Object.entries(texts).find(([prefix]) => id.startsWith(prefix))?.[1];
    const made = Properties.SecretString ?? generatedText(Properties.GenerateSecretString);
    const arn = await secrets.createSecret(id, text ?? made);
    template.provide(id, { ref: arn });
    secretArns.set(id, arn);
  }
  return { keyArn, secretArns };
}

/** The text of a secret that CloudFormation generates: its template with a random password in the named field. */
function generatedText(settings: {
  readonly SecretStringTemplate: string;
  readonly GenerateStringKey: string;
  readonly PasswordLength: number;
  readonly ExcludePunctuation: true;
}): string {
  const { SecretStringTemplate, GenerateStringKey, PasswordLength } = settings;
  const characters = Array.from(
    { length: PasswordLength },
    () => LETTERS_AND_DIGITS[randomInt(LETTERS_AND_DIGITS.length)],
  );
  return JSON.stringify({ ...JSON.parse(SecretStringTemplate), [GenerateStringKey]: characters.join('') });
}

function endpointsOf(kms: KmsService, secrets: SecretsService): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    // Nothing else of AWS exists here; a call to it fails at once instead of leaving the machine.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  };
}

function trustedBy(certificates: readonly string[] | undefined, folder: string): Record<string, string> {
  if (certificates === undefined) return {};
  const file = join(folder, 'trusted.pem');
  writeFileSync(file, certificates.join('\n'));
  return { NODE_EXTRA_CA_CERTS: file };
}

function startFunction(
  template: DeployedTemplate,
  id: string,
  resource: TemplateResource,
  options: {
    readonly surroundings: Record<string, string>;
    readonly maxInstances: number | undefined;
    readonly clockFile: string | undefined;
  },
): LambdaService {
  const { surroundings, maxInstances, clockFile } = options;
  const { Properties } = resource;
  const reserved: number | undefined = Properties.ReservedConcurrentExecutions;
  if (Properties.Runtime !== `nodejs${process.versions.node.split('.')[0]}.x`) {
    throw new Error(`the template wants ${Properties.Runtime}, and this is Node ${process.versions.node}`);
  }
  return new LambdaService({
    functionName: id,
    code: template.codeFolder(resource),
    handler: Properties.Handler,
    timeoutSeconds: Properties.Timeout,
    memoryMb: Properties.MemorySize,
    region: REGION,
    variables: template.resolve(Properties.Environment?.Variables ?? {}),
    surroundings,
    clockFile,
    maxInstances: maxInstances ?? reserved ?? 2,
    reserved,
  });
}
