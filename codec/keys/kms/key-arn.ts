import { parseArnOf } from '../arn.ts';

/** The parts of the ARN of a KMS key: `arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…`. */
export interface KeyArn {
  /** The ARN as it was written. */
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly partition: string;
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  /** What follows `key/`: a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key. */
  readonly keyId: string;
}

const KEY = /^key\/([A-Za-z0-9-]{1,64})$/;
const ALIAS = /^alias\/.+$/;

/** Reads the ARN of a key, or answers undefined when the text is none; the ARN of an alias is none. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const { arn, partition, region, account, resource = '' } = parseArnOf('kms', text) ?? {};
  const keyId = KEY.exec(resource)?.[1];
  if (!arn || !partition || !region || !account || keyId === undefined) return undefined;
  return { arn, partition, region, account, keyId };
}

/** Whether a ciphertext of the one key can be decrypted with the other: they are the same, or replicas of one multi-Region key. */
export function isSameKey(a: KeyArn, b: KeyArn): boolean {
  return a.arn === b.arn || isReplica(a, b);
}

/** Whether these are two keys with the same material in different Regions. */
export function isReplica(a: KeyArn, b: KeyArn): boolean {
  return (
    a.keyId.startsWith('mrk-') &&
    a.keyId === b.keyId &&
    a.account === b.account &&
    a.partition === b.partition &&
    a.region !== b.region
  );
}

/**
 * Which of our keys a foreign writer may mean. Its own words are never sent to KMS: they only choose
 * among the keys of the configuration, and where they do not tell (an alias, nothing at all), all of
 * them come into question, since KMS itself refuses every key but the right one.
 *
 * @param claim a key ARN, an alias ARN, a key id, `alias/…`, or one of these as the URI
 *   `awskms:///…?region=…`; undefined or empty when the format names no key
 */
export function mayMean(claim: string | undefined): (key: KeyArn) => boolean {
  const named = (claim ?? '').replace(/^awskms:\/+/, '').replace(/\?.*$/s, '');
  if (named === '' || named.startsWith('alias/')) return () => true;
  const arn = parseKeyArn(named);
  if (arn !== undefined) return (key) => isSameKey(key, arn);
  const alias = parseArnOf('kms', named);
  if (alias !== undefined && ALIAS.test(alias.resource))
    return ({ partition, account, region }) =>
      partition === alias.partition && account === alias.account && region === alias.region;
  return (key) => key.keyId === named;
}
