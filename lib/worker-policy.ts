/** The managed policy that a team attaches to its workers' roles: write and read exactly the environment's namespaces. */
import { ManagedPolicy, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { KmsKeyConfig } from '../config/schema.ts';
import { keyStatements } from './key-permissions.ts';

export interface WorkerPolicyProps {
  readonly environment: string;
  readonly entries: readonly KmsKeyConfig[];
  readonly createdKeyArn: string | undefined;
  /** What workers may do beside using the keys. */
  readonly statements: readonly PolicyStatement[];
}

export class WorkerPolicy extends Construct {
  readonly policy: ManagedPolicy;

  constructor(scope: Construct, id: string, { environment, entries, createdKeyArn, statements }: WorkerPolicyProps) {
    super(scope, id);
    this.policy = new ManagedPolicy(this, 'Policy', {
      description: `For Temporal workers: encrypt and decrypt the payloads of the namespaces of ${environment}.`,
      statements: [...keyStatements({ entries, createdKeyArn }), ...statements],
    });
  }
}
