/** The Lambda function's process: what every configuration loads. */
import type { CodecServerConfig } from '../config/schema.ts';
import { type FunctionHost, startFunction } from '../lambda/handler.ts';
import type { LambdaHandler } from '../lambda/lambda-handler.ts';

/**
 * Starts the server of an environment in this process.
 *
 * @param parts the adapter of the environment's front; the sign-in and the canary where the environment has
 *   them, whose code is loaded nowhere else
 * @throws Error when the configuration needs what the stack did not make
 */
export function startInProcess(
  config: CodecServerConfig,
  environment: string,
  parts: Pick<FunctionHost, 'openEvents' | 'openSignIn' | 'loadCanary'>,
): Promise<LambdaHandler> {
  return startFunction(config, environment, {
    ...parts,
    variables: process.env,
    write: (line) => void process.stdout.write(`${line}\n`),
  });
}
