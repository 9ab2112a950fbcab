/** The managed policy that a team attaches to its workers' roles: write and read exactly the environment's namespaces. */
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { KmsKeyConfig } from '../config/schema.ts';
import { keyStatements } from './key-permissions.ts';

export interface WorkerPolicyProps {
  readonly environment: string;
  readonly entries: readonly KmsKeyConfig[];
  readonly createdKeyArn: string | undefined;
}

export class WorkerPolicy extends Construct {
  readonly policy: ManagedPolicy;

  constructor(scope: Construct, id: string, { environment, entries, createdKeyArn }: WorkerPolicyProps) {
    super(scope, id);
    this.policy = new ManagedPolicy(this, 'Policy', {
      description: `For Temporal workers: encrypt and decrypt the payloads of the namespaces of ${environment}.`,
      statements: keyStatements({ entries, createdKeyArn }),
    });
  }
}
