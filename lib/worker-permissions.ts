/** What one worker may do: write and read some of the namespaces that a configuration has keys for. */
import { type IGrantable, ManagedPolicy, type PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { partId } from '../config/checks/policies.ts';
import { narrowTo } from '../config/narrow.ts';
import type { KmsKeyConfig, StorageBucketConfig } from '../config/schema.ts';
import { keyStatements } from './key-permissions.ts';
import { type CreatedBucket, storageStatements } from './payload-bucket.ts';
import { inDocuments } from './policy-size.ts';

/** What there is to grant. */
export interface WorkerGrants {
  readonly entries: readonly KmsKeyConfig[];
  readonly createdKeyArn: string | undefined;
  readonly buckets: readonly StorageBucketConfig[];
  readonly createdBucket: CreatedBucket | undefined;
  readonly partition: string;
  /** The keyring in a secret: its namespaces, and what reading it takes. */
  readonly keyring:
    | { readonly namespaces: readonly string[]; readonly statements: readonly PolicyStatement[] }
    | undefined;
}

/**
 * The statements for a worker of `namespaces`.
 *
 * @throws Error when no key of the configuration covers one of them
 */
export function workerStatements(namespaces: readonly string[], grants: WorkerGrants): PolicyStatement[] {
  const { entries, createdKeyArn, buckets, createdBucket: created, partition, keyring } = grants;
  const narrowed = narrowTo(namespaces, entries);
  const ofKeyring = keyring === undefined ? [] : narrowTo(namespaces, [keyring]);
  const missing = namespaces.filter((name) => ![...narrowed, ...ofKeyring].some((it) => it.namespaces.includes(name)));
  if (missing.length > 0)
    throw new Error(
      `no key serves ${missing.join(', ')}: add it to the namespaces of an entry of config.keys.kms, or of config.keys.keyringSecret.`,
    );
  return [
    ...keyStatements({ entries: narrowed, createdKeyArn }),
    ...ofKeyring.flatMap(({ statements }) => statements),
    ...storageStatements({ entries: narrowTo(namespaces, buckets), created, partition, writes: () => true }),
  ];
}

/**
 * Adds statements to the policy of a worker. The CDK splits that of a role that the app makes; that of an imported one
 * it does not, and says nothing where it may not change it.
 *
 * @returns whether the worker has them now, and the policy that holds them where nobody else counts its characters
 */
export function grantStatements(
  { grantPrincipal }: IGrantable,
  statements: readonly PolicyStatement[],
): { readonly isGranted: boolean; readonly holder: IConstruct | undefined } {
  const results = statements.map((statement) => grantPrincipal.addToPrincipalPolicy(statement));
  const [holder] = results.flatMap(({ policyDependable }) =>
    Construct.isConstruct(policyDependable) ? [policyDependable] : [],
  );
  const isAdded = results.every(({ statementAdded }) => statementAdded);
  // One that may not be changed claims to have taken them, and has no policy.
  return { isGranted: isAdded && (holder !== undefined || Role.isRole(grantPrincipal)), holder };
}

// The managed policies that a team attaches to its workers' roles: one that covers the environment's namespaces, and where
// there are several entries of keys one for each, so that a worker of one namespace cannot decrypt another's payloads.

export interface WorkerPolicyProps {
  readonly environment: string;
  readonly entries: readonly KmsKeyConfig[];
  readonly createdKeyArn: string | undefined;
  /** What workers of some namespaces may do beside using the keys; of all, where none are given. */
  readonly statements: (namespaces?: readonly string[]) => readonly PolicyStatement[];
}

export class WorkerPolicy extends Construct {
  /** For workers of all namespaces: one policy, and further parts where one does not hold them all. */
  readonly policies: readonly ManagedPolicy[];
  /** For workers of the namespaces of one entry each, in the order of the entries; empty where there is but one. */
  readonly ofEntries: readonly (readonly ManagedPolicy[])[];

  constructor(scope: Construct, id: string, { environment, entries, createdKeyArn, statements }: WorkerPolicyProps) {
    super(scope, id);
    this.policies = inParts(this, 'Policy', `the namespaces of ${environment}`, [
      ...keyStatements({ entries, createdKeyArn }),
      ...statements(),
    ]);
    this.ofEntries =
      entries.length < 2
        ? []
        : entries.map((entry, index) =>
            inParts(this, `Entry${index}`, `the namespaces of entry ${index} of the keys of ${environment}`, [
              ...keyStatements({ entries: [entry], createdKeyArn }),
              ...statements(entry.namespaces),
            ]),
          );
  }
}

/** For workers whose keyring is a secret: KMS has no part in it, so a policy of its own. */
export class KeyringWorkerPolicy extends Construct {
  readonly policies: readonly ManagedPolicy[];

  constructor(
    scope: Construct,
    id: string,
    { environment, statements }: { readonly environment: string; readonly statements: readonly PolicyStatement[] },
  ) {
    super(scope, id);
    this.policies = inParts(this, 'Policy', `the namespaces of the keyring of ${environment}`, statements);
  }
}

function inParts(scope: Construct, id: string, whose: string, statements: readonly PolicyStatement[]): ManagedPolicy[] {
  return inDocuments(scope, statements).map(
    (document, part) =>
      new ManagedPolicy(scope, partId(id, part), {
        description: `For Temporal workers: encrypt and decrypt the payloads of ${whose}.`,
        statements: document,
      }),
  );
}
