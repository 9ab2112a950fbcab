/** The Lambda function's process. The entry that `lib/bundle.ts` generates calls this with one environment. */
import type { CodecServerConfig } from '../config/schema.ts';
import { startFunction } from '../lambda/handler.ts';
import type { LambdaHandler } from '../lambda/lambda-handler.ts';

/**
 * Starts the server of an environment in this process.
 *
 * @throws Error when the configuration needs what the stack did not make
 */
export function startInProcess(config: CodecServerConfig, environment: string): Promise<LambdaHandler> {
  return startFunction(config, environment, {
    variables: process.env,
    write: (line) => void process.stdout.write(`${line}\n`),
  });
}
