/** The workflows of both namespaces: the caller's, and those that the handler starts. */
import { CancellationScope, createNexusServiceClient, isCancellation, sleep } from '@temporalio/workflow';
import { billing } from './service.ts';

const LIMIT = { scheduleToCloseTimeout: '2 minutes' } as const;

/** One operation, by its name. @returns what came of it, as text */
export async function caller(endpoint: string, operation: keyof typeof billing.operations, secret: string) {
  const client = createNexusServiceClient({ service: billing, endpoint });
  if (operation !== 'waiting') return await client.executeOperation(operation, secret, LIMIT);
  return await CancellationScope.cancellable(async () => {
    const running = await client.startOperation(operation, secret, LIMIT);
    CancellationScope.current().cancel();
    return await running.result();
  }).catch((error: unknown) => {
    if (isCancellation(error)) return `canceled, knowing ${secret}`;
    throw error;
  });
}

/** Answers at once. */
export async function answer(secret: string): Promise<string> {
  return `run with ${secret}`;
}

/** Ends when it is canceled. */
export async function wait(secret: string): Promise<string> {
  await sleep('10 minutes');
  return secret;
}
