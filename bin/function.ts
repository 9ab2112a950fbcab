/** The Lambda function's process. The entry that `lib/bundle/bundle.ts` generates calls this with one environment. */
import type { CodecServerConfig } from '../config/schema.ts';
import type { OpenEvents } from '../lambda/event-adapter.ts';
import { startFunction } from '../lambda/handler.ts';
import type { LambdaHandler } from '../lambda/lambda-handler.ts';
import type { OpenSignIn } from '../lambda/server/sign-in/sign-in.ts';

/**
 * Starts the server of an environment in this process.
 *
 * @param openEvents the adapter of the environment's front
 * @param openSignIn given where the environment has a sign-in of its own, whose code is in no other bundle
 * @throws Error when the configuration needs what the stack did not make
 */
export function startInProcess(
  config: CodecServerConfig,
  environment: string,
  openEvents: OpenEvents,
  openSignIn?: OpenSignIn,
): Promise<LambdaHandler> {
  return startFunction(config, environment, {
    openEvents,
    openSignIn,
    variables: process.env,
    write: (line) => void process.stdout.write(`${line}\n`),
  });
}
