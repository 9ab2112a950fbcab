/** A Secrets Manager in this process, which speaks the service's JSON protocol to the real AWS client. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Text that every error message of the stand-in holds. */
export const SECRETS_CANARY = 'canary-text-of-secrets-manager';

export type SecretsTrouble = 'ok' | 'hang' | 'garbage' | { readonly exception: string; readonly status?: number };

export class SecretsManagerStandIn {
  /** `AWSCURRENT` or `AWSPREVIOUS`, as it was asked for. */
  readonly calls: string[] = [];
  trouble: (stage: string) => SecretsTrouble = () => 'ok';
  readonly #secrets = new Map<string, Map<string, string>>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { SecretId, VersionStage } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, string>;
        const { status, body } = this.#answer(String(SecretId), VersionStage ?? 'AWSCURRENT');
        if (body === undefined) return;
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(body);
      });
    });
  }

  static async start(): Promise<SecretsManagerStandIn> {
    const standIn = new SecretsManagerStandIn();
    await new Promise<void>((resolve) => {
      standIn.#server.listen(0, '127.0.0.1', resolve);
    });
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What `secretsManagerReader` needs to reach it. */
  get client() {
    return { endpoint: this.endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  }

  createSecret(name: string, text: string, region = 'eu-central-1'): string {
    const arn = `arn:aws:secretsmanager:${region}:111122223333:secret:${name}-a1B2c3`;
    this.#secrets.set(arn, new Map([['AWSCURRENT', text]]));
    return arn;
  }

  /** A new version; the one before becomes `AWSPREVIOUS`. */
  putSecretValue(arn: string, text: string): void {
    const before = this.#secrets.get(arn)?.get('AWSCURRENT') ?? '';
    this.#secrets.set(
      arn,
      new Map([
        ['AWSCURRENT', text],
        ['AWSPREVIOUS', before],
      ]),
    );
  }

  /** The current version's text. */
  text(arn: string): string {
    return this.#secrets.get(arn)?.get('AWSCURRENT') ?? '';
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #answer(arn: string, stage: string): { status: number; body: string | undefined } {
    this.calls.push(stage);
    const trouble = this.trouble(stage);
    if (trouble === 'hang') return { status: 0, body: undefined };
    if (trouble === 'garbage') return { status: 200, body: `<html>${SECRETS_CANARY}</html>` };
    if (typeof trouble === 'object') return failure(trouble.exception, trouble.status);
    const text = this.#secrets.get(arn)?.get(stage);
    if (text === undefined) return failure('ResourceNotFoundException');
    const body = { ARN: arn, Name: arn, VersionId: randomUUID(), SecretString: text, VersionStages: [stage] };
    return { status: 200, body: JSON.stringify(body) };
  }
}

function failure(type: string, status = 400): { status: number; body: string } {
  return { status, body: JSON.stringify({ __type: type, Message: SECRETS_CANARY }) };
}
