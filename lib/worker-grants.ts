/** What one worker may do: write and read some of the namespaces that a configuration has keys for. */
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { narrowTo } from '../config/narrow.ts';
import type { KmsKeyConfig, StorageBucketConfig } from '../config/schema.ts';
import { keyStatements } from './key-permissions.ts';
import { type CreatedBucket, storageStatements } from './storage-permissions.ts';

/** What there is to grant. */
export interface WorkerGrants {
  readonly entries: readonly KmsKeyConfig[];
  readonly createdKeyArn: string | undefined;
  readonly buckets: readonly StorageBucketConfig[];
  readonly createdBucket: CreatedBucket | undefined;
  readonly partition: string;
}

/**
 * The statements for a worker of `namespaces`.
 *
 * @throws Error when no key of the configuration covers one of them
 */
export function workerStatements(namespaces: readonly string[], grants: WorkerGrants): PolicyStatement[] {
  const { entries, createdKeyArn, buckets, createdBucket: created, partition } = grants;
  const narrowed = narrowTo(namespaces, entries);
  const missing = namespaces.filter((name) => !narrowed.some((entry) => entry.namespaces.includes(name)));
  if (missing.length > 0)
    throw new Error(`no key serves ${missing.join(', ')}: add it to the namespaces of an entry of config.keys.kms.`);
  return [
    ...keyStatements({ entries: narrowed, createdKeyArn }),
    ...storageStatements({ entries: narrowTo(namespaces, buckets), created, partition, writes: () => true }),
  ];
}
