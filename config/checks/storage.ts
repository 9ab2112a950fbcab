/** What is wrong with the external storage of a configuration: buckets that cannot be, and limits nobody can live with. */
import { parseKeyArn } from '../../codec/keys/kms/key-arn.ts';
import { matchesNamespace } from '../../codec/namespace-pattern.ts';
import { isAccount, isBucketName, isRegion, parseAccessPoint } from '../bucket.ts';
import type { Place } from '../environment.ts';
import { isWhole, PLACEHOLDER, type Problem } from '../problem.ts';
import type { CodecServerConfig, StorageBucketConfig, StorageConfig, StorageLimits } from '../schema.ts';

/** The highest value of each limit that makes sense: objects are held in memory. */
const MOST: Readonly<Record<keyof StorageLimits, number>> = {
  objectBytes: 256 * 1024 * 1024,
  requestBytes: 512 * 1024 * 1024,
  parallel: 100,
};

/** S3 takes at most 2^31 - 1 days. */
const MOST_DAYS = 2_147_483_647;

/**
 * All problems of `storage`.
 *
 * @param place where the configuration runs: only on AWS is there a stack that makes a bucket
 */
export function checkStorage({ storage }: Pick<CodecServerConfig, 'storage'>, place: Place): Problem[] {
  if (storage === null || storage === undefined) return [];
  const { buckets } = storage;
  return [
    ...(buckets.length > 0
      ? []
      : [{ path: 'storage.buckets', message: 'no bucket is listed: list one, or write storage: null.' }]),
    ...buckets.flatMap((entry, index) => checkBucket(entry, `storage.buckets[${index}]`, place)),
    ...checkShadowed(buckets),
    ...checkStack(buckets),
    ...checkNumbers(storage),
  ];
}

function checkBucket(entry: StorageBucketConfig, path: string, place: Place): Problem[] {
  const { bucket, region, namespaces, owner, encryptionKey, driverNames, expireAfterDays } = entry;
  const problem = (field: string, message: string): Problem => ({ path: `${path}.${field}`, message });
  const problems: Problem[] = [];
  if (bucket === 'created-by-stack') {
    if (place === 'local') problems.push(problem('bucket', 'no stack makes a bucket here: write its name.'));
    if (region !== undefined) problems.push(problem('region', "the stack's bucket is in its own Region: remove it."));
    if (encryptionKey !== undefined)
      problems.push(problem('encryptionKey', "the stack's bucket is encrypted with S3's own key: remove it."));
  } else if (!PLACEHOLDER.test(bucket)) {
    const accessPoint = parseAccessPoint(bucket);
    if (accessPoint === undefined && !isBucketName(bucket))
      problems.push(
        problem(
          'bucket',
          'expected the name of a bucket, such as acme-temporal-payloads, or the ARN of an access point (its alias says of no bucket whose objects these are).',
        ),
      );
    if (accessPoint !== undefined) {
      if (region !== undefined && region !== accessPoint.region)
        problems.push(problem('region', "an access point's ARN says where it is: remove the Region here."));
    } else if (!(isRegion(region) || PLACEHOLDER.test(region ?? '')))
      problems.push(problem('region', "expected the bucket's Region, such as eu-central-1."));
    if (expireAfterDays !== undefined)
      problems.push(
        problem('expireAfterDays', 'only for the bucket that the stack makes: give yours a lifecycle rule.'),
      );
  }
  if (namespaces.length === 0)
    problems.push(problem('namespaces', "it serves no namespace: name some, or write ['*'] for all."));
  if (driverNames?.length === 0)
    problems.push(problem('driverNames', "it knows no driver: name one, or leave it out for 'aws.s3driver'."));
  if (owner !== undefined && !isAccount(owner) && !PLACEHOLDER.test(owner))
    problems.push(problem('owner', 'an AWS account id has 12 digits.'));
  if (encryptionKey !== undefined && parseKeyArn(encryptionKey) === undefined && !PLACEHOLDER.test(encryptionKey))
    problems.push(problem('encryptionKey', 'expected the ARN of a KMS key, and no alias.'));
  if (typeof expireAfterDays === 'number' && !isWhole(expireAfterDays, 1, MOST_DAYS))
    problems.push(problem('expireAfterDays', 'a whole number of days from 1, or null for never.'));
  return problems;
}

/** An entry that writes and is never written to, since one before it covers all that it is for. */
function checkShadowed(buckets: readonly StorageBucketConfig[]): Problem[] {
  return buckets.flatMap((entry, index) => {
    if (entry.write !== true || entry.namespaces.length === 0) return [];
    const before = buckets.slice(0, index).flatMap((it) => (it.write === true ? it.namespaces : []));
    const shadowed = entry.namespaces.every((pattern) => before.some((earlier) => matchesNamespace(earlier, pattern)));
    if (!shadowed) return [];
    const message = 'nothing is ever written here, since entries before it cover its namespaces: move it up.';
    return [{ path: `storage.buckets[${index}].write`, message }];
  });
}

/** The stack makes one bucket, with one lifecycle. */
function checkStack(buckets: readonly StorageBucketConfig[]): Problem[] {
  const made = buckets.map(({ bucket }, index) => ({ bucket, index })).filter((it) => it.bucket === 'created-by-stack');
  return made.slice(1).map(({ index }) => ({
    path: `storage.buckets[${index}].bucket`,
    message: `the stack makes one bucket, that of storage.buckets[${made[0]?.index}]: add the namespaces there.`,
  }));
}

function checkNumbers({ limits = {}, storeFromBytes }: StorageConfig): Problem[] {
  const problems = (Object.keys(MOST) as (keyof StorageLimits)[]).flatMap((name): Problem[] => {
    const value = limits[name];
    if (value === undefined || isWhole(value, 1, MOST[name])) return [];
    return [
      { path: `storage.limits.${name}`, message: `${String(value)} is not a whole number from 1 to ${MOST[name]}.` },
    ];
  });
  if (storeFromBytes !== undefined && !isWhole(storeFromBytes, 1, MOST.objectBytes))
    problems.push({
      path: 'storage.storeFromBytes',
      message: `${storeFromBytes} is not a whole number of bytes from 1 to ${MOST.objectBytes}.`,
    });
  return problems;
}
