/**
 * The managed policies that a team attaches to its workers' roles: one that covers the environment's namespaces, and where
 * there are several entries of keys one for each, so that a worker of one namespace cannot decrypt another's payloads.
 */
import { ManagedPolicy, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { KmsKeyConfig } from '../config/schema.ts';
import { keyStatements } from './key-permissions.ts';

export interface WorkerPolicyProps {
  readonly environment: string;
  readonly entries: readonly KmsKeyConfig[];
  readonly createdKeyArn: string | undefined;
  /** What workers of some namespaces may do beside using the keys; of all, where none are given. */
  readonly statements: (namespaces?: readonly string[]) => readonly PolicyStatement[];
}

export class WorkerPolicy extends Construct {
  /** For workers of all namespaces. */
  readonly policy: ManagedPolicy;
  /** For workers of the namespaces of one entry each, in the order of the entries; empty where there is but one. */
  readonly ofEntries: readonly ManagedPolicy[];

  constructor(scope: Construct, id: string, { environment, entries, createdKeyArn, statements }: WorkerPolicyProps) {
    super(scope, id);
    this.policy = new ManagedPolicy(this, 'Policy', {
      description: `For Temporal workers: encrypt and decrypt the payloads of the namespaces of ${environment}.`,
      statements: [...keyStatements({ entries, createdKeyArn }), ...statements()],
    });
    this.ofEntries =
      entries.length < 2
        ? []
        : entries.map(
            (entry, index) =>
              new ManagedPolicy(this, `Entry${index}`, {
                description: `For Temporal workers: encrypt and decrypt the payloads of entry ${index} of the keys of ${environment}.`,
                statements: [...keyStatements({ entries: [entry], createdKeyArn }), ...statements(entry.namespaces)],
              }),
          );
  }
}
