/**
 * AWS in a process beside this one: moto's KMS, Secrets Manager, STS and S3, over HTTP to the real
 * clients. What moto does not do as AWS does (disabled keys, IncorrectKey, IAM conditions) is tested
 * with the stand-ins of this folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, KMSClient, RotateKeyOnDemandCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/nested-clients/sts';
import { freePort } from './free-port.ts';
import { until } from './patience.ts';
import { pythonTools } from './python.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

export class Moto {
  readonly endpoint: string;
  readonly #process: ChildProcess;

  private constructor(endpoint: string, server: ChildProcess) {
    this.endpoint = endpoint;
    this.#process = server;
  }

  static async start(): Promise<Moto> {
    const tools = await pythonTools();
    const port = await freePort();
    const server = spawn(join(tools, 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    const moto = new Moto(`http://127.0.0.1:${port}`, server);
    try {
      await until(async () => {
        if (server.exitCode !== null) throw new Error(`moto_server ended with ${server.exitCode}`);
        return (await fetch(`${moto.endpoint}/moto-api/data.json`).catch(() => undefined))?.ok;
      }, 'moto_server does not answer');
    } catch (error) {
      await moto.close();
      throw error;
    }
    return moto;
  }

  /** Settings for AWS clients. */
  get client() {
    return { endpoint: this.endpoint, credentials: CREDENTIALS };
  }

  /** The environment in which any AWS SDK reaches it, in any language. */
  get environment(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: 'eu-central-1',
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_KMS: this.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: this.endpoint,
      AWS_ENDPOINT_URL_STS: this.endpoint,
      AWS_ENDPOINT_URL_S3: this.endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  kms(region = 'eu-central-1'): KMSClient {
    return new KMSClient({ ...this.client, region });
  }

  /** KMS as a role sees it, in the role's account. */
  async kmsAs(role: string, region = 'eu-central-1'): Promise<KMSClient> {
    const sts = new STSClient({ ...this.client, region });
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'administrator' }));
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    return new KMSClient({ endpoint: this.endpoint, credentials, region });
  }

  secrets(region = 'eu-central-1'): SecretsManagerClient {
    return new SecretsManagerClient({ ...this.client, region });
  }

  /** Makes a key and answers its ARN; in the account of a role, if one is given. */
  async createKey({ region = 'eu-central-1', role = '' } = {}): Promise<string> {
    const kms = role === '' ? this.kms(region) : await this.kmsAs(role, region);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    return KeyMetadata?.Arn ?? '';
  }

  async createAlias(alias: string, arn: string): Promise<void> {
    await this.kms().send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: arn }));
  }

  /** New key material under the same ARN, as automatic rotation makes it once a year. */
  async rotate(arn: string): Promise<void> {
    await this.kms().send(new RotateKeyOnDemandCommand({ KeyId: arn }));
  }

  async createSecret(name: string, text: string): Promise<string> {
    const { ARN } = await this.secrets().send(new CreateSecretCommand({ Name: name, SecretString: text }));
    return ARN ?? '';
  }

  async putSecretValue(arn: string, text: string): Promise<void> {
    await this.secrets().send(new PutSecretValueCommand({ SecretId: arn, SecretString: text }));
  }

  s3(region = 'eu-central-1'): S3Client {
    return new S3Client({ ...this.client, region });
  }

  async createBucket(name: string, region = 'eu-central-1'): Promise<void> {
    const CreateBucketConfiguration = { LocationConstraint: region } as never;
    await this.s3(region).send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration }));
  }

  async putObject(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    await this.s3().send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  }

  async getObject(bucket: string, key: string): Promise<Uint8Array> {
    const { Body } = await this.s3().send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return (await Body?.transformToByteArray()) ?? new Uint8Array(0);
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill();
    await ended;
  }
}
