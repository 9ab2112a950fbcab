/** Activities that succeed and fail in every way, with a secret in whatever they say. */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';

export const echo = async (secret: string): Promise<string> => `echo of ${secret}`;

export async function failingOnce(secret: string): Promise<string> {
  if (Context.current().info.attempt > 1) return secret;
  throw ApplicationFailure.retryable(`once, with ${secret}`, 'Once', secret);
}

export async function refuse(secret: string): Promise<void> {
  const cause = new Error(`cause ${secret}`);
  throw ApplicationFailure.create({ message: `refused ${secret}`, nonRetryable: true, details: [{ secret }], cause });
}

export async function throwError(secret: string): Promise<void> {
  throw new RangeError(`out of range: ${secret}`);
}

export async function beatAndHang(secret: string): Promise<void> {
  Context.current().heartbeat({ secret });
  await Context.current().cancelled.catch(() => {});
}

export async function untilCancelled(secret: string): Promise<void> {
  const beating = setInterval(() => Context.current().heartbeat({ secret }), 100);
  try {
    await Context.current().cancelled;
  } catch {
    throw new CancelledFailure(`canceled with ${secret}`, [{ secret }]);
  } finally {
    clearInterval(beating);
  }
}
