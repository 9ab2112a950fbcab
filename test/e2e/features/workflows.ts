/** Workflows that between them use everything that a payload or a failure can be in. */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
} from '@temporalio/workflow';
import type * as activities from './activities.ts';

const options = { startToCloseTimeout: '1 minute', retry: { maximumAttempts: 1 } } as const;
const retried = { startToCloseTimeout: '1 minute', retry: { maximumAttempts: 2, initialInterval: 50 } } as const;

export const told = defineSignal<[string]>('told');
export const asked = defineQuery<string, [string]>('asked');
export const changed = defineUpdate<string, [string]>('changed');

/** Everything that works: it goes on as new when it is told to, and ends with what it was told. */
export async function working(secret: string, next?: string): Promise<string> {
  if (next !== undefined) return `${next} after ${secret}`;
  let heard: string | undefined;
  setHandler(told, (text) => {
    heard = text;
  });
  setHandler(asked, (text) => {
    if (text.startsWith('refuse')) throw ApplicationFailure.nonRetryable(`no answer to ${text}`, 'NoAnswer', text);
    return `answer to ${text}`;
  });
  setHandler(
    changed,
    (text) => {
      if (text.startsWith('fail')) throw ApplicationFailure.nonRetryable(`cannot ${text}`, 'NoChange', text);
      return `changed to ${text}`;
    },
    {
      validator(text) {
        if (text.startsWith('invalid')) throw ApplicationFailure.nonRetryable(`invalid: ${text}`, 'Invalid', text);
      },
    },
  );
  setCurrentDetails(`waiting with ${secret}`);
  upsertMemo({ second: secret });
  await sleep(1, { summary: `sleeping with ${secret}` });
  await proxyActivities<typeof activities>({ ...options, summary: `echo of ${secret}` }).echo(secret);
  await proxyActivities<typeof activities>(retried).failingOnce(secret);
  await proxyLocalActivities<typeof activities>(options).echo(secret);
  await executeChild(child, { args: [secret], memo: { third: secret }, staticSummary: `child of ${secret}` });
  await condition(() => heard !== undefined);
  return await continueAsNew<typeof working>(secret, heard);
}

export async function child(secret: string): Promise<string> {
  return `child of ${secret}`;
}

export async function failingChild(secret: string): Promise<void> {
  throw ApplicationFailure.nonRetryable(`child refused ${secret}`, 'ChildRefused', secret);
}

const failures: Readonly<Record<string, (secret: string) => Promise<unknown>>> = {
  async workflow(secret) {
    const cause = ApplicationFailure.nonRetryable(`cause ${secret}`, 'Cause', { secret });
    throw ApplicationFailure.create({ message: `refused ${secret}`, nonRetryable: true, details: [{ secret }], cause });
  },
  activity: (secret) => proxyActivities<typeof activities>(options).refuse(secret),
  plainError: (secret) => proxyActivities<typeof activities>(options).throwError(secret),
  localActivity: (secret) => proxyLocalActivities<typeof activities>(options).refuse(secret),
  child: (secret) => executeChild(failingChild, { args: [secret] }),
  timeout: (secret) =>
    proxyActivities<typeof activities>({ ...options, heartbeatTimeout: '3 seconds' }).beatAndHang(secret),
  async canceled(secret) {
    try {
      await CancellationScope.withTimeout(400, () =>
        proxyActivities<typeof activities>({
          ...options,
          heartbeatTimeout: '30 seconds',
          cancellationType: 'WAIT_CANCELLATION_COMPLETED',
        }).untilCancelled(secret),
      );
    } catch (error) {
      if (!isCancellation(error)) throw error;
      throw ApplicationFailure.nonRetryable(`canceled with ${secret}`, 'Cancelled');
    }
  },
};

/** Fails in one of the ways of {@link failures}. */
export async function failing(kind: string, secret: string): Promise<void> {
  await failures[kind]?.(secret);
}

/** Fails its task, again and again. */
export async function failingTask(secret: string): Promise<void> {
  throw new Error(`a mistake with ${secret}`);
}
