/** One instance of a function and its requests, one at a time. */
import { randomUUID } from 'node:crypto';
import { type InvocationError, LambdaInstance } from '../../test/deployed/support/lambda-instance.ts';

/** An answer, and how long it took, in milliseconds. */
export interface Invoked {
  readonly result: unknown;
  readonly ms: number;
}

export interface StartedInstance {
  readonly instance: LambdaInstance;
  /** @throws Error when the answer is not a 200 */
  readonly invoke: (event: unknown) => Promise<Invoked>;
}

/**
 * Starts a fresh process and waits until it asks for its first event.
 *
 * @param code the folder with `index.mjs`
 */
export async function startInstance(
  code: string,
  variables: Readonly<Record<string, string>>,
): Promise<StartedInstance> {
  let onIdle: () => void = () => undefined;
  let onExit: (error: Error) => void = () => undefined;
  let lastError = '';
  const idle = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (instance.isIdle) return resolve();
      onIdle = resolve;
      onExit = reject;
    });
  const instance = LambdaInstance.start(
    {
      functionName: 'Codec',
      code,
      handler: 'index.handler',
      timeoutSeconds: 10,
      memoryMb: 1024,
      region: 'eu-central-1',
      variables,
      surroundings: {},
    },
    {
      idle: () => onIdle(),
      exit: () => onExit(new Error(`the function ended: ${lastError}`)),
      log: () => undefined,
      error: (line) => {
        lastError = line;
      },
    },
  );
  await idle();
  return {
    instance,
    invoke: async (event) => {
      await idle();
      const start = performance.now();
      const result = await new Promise((resolve, reject: (error: InvocationError) => void) => {
        instance.run({ id: randomUUID(), payload: JSON.stringify(event), resolve, reject });
      });
      const ms = performance.now() - start;
      const { statusCode } = result as { statusCode?: number };
      if (statusCode !== 200) throw new Error(`the function answered ${JSON.stringify(result)}`);
      return { result, ms };
    },
  };
}
