/** One workflow for each place where a worker needs the codec; each gets there when the outage has begun. */
import { ApplicationFailure, proxyActivities, sleep } from '@temporalio/workflow';

const options = {
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '2 seconds' },
} as const;

interface Activities {
  echo(secret: string): Promise<string>;
  encodeLate(secret: string): Promise<string>;
  failLate(secret: string): Promise<string>;
  decodeLate(secret: string): Promise<string>;
  heartbeatLate(secret: string): Promise<string>;
}

const activities = proxyActivities<Activities>(options);

/** Started while the outage lasts. */
export async function workflowDecode(secret: string): Promise<string> {
  return secret;
}

export async function workflowEncode(secret: string, begin: number): Promise<string> {
  await sleep(Math.max(1, begin - Date.now()));
  return activities.echo(secret);
}

/** Its failure is what it ends with: the text is the secret. */
export async function workflowFailure(secret: string, begin: number): Promise<string> {
  await sleep(Math.max(1, begin - Date.now()));
  throw ApplicationFailure.nonRetryable(`failed with ${secret}`, 'Expected', secret);
}

export const activityEncode = (secret: string): Promise<string> => activities.encodeLate(secret);
export const activityDecode = (secret: string): Promise<string> => activities.decodeLate(secret);
export const activityFailure = (secret: string): Promise<string> => activities.failLate(secret);
export const heartbeat = (secret: string): Promise<string> => activities.heartbeatLate(secret);
