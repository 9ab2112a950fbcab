/** The development environment with another identity and other rules: what is deployed otherwise stays as it is. */

import type { EnvironmentConfig, FrontConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';

/** Throttling is the gateway's business and has a test of its own; a suite is faster than people are. */
const UNHURRIED = { rate: 10_000, burst: 10_000 };

export function environmentWith(changes: Partial<EnvironmentConfig>, front?: FrontConfig): EnvironmentConfig {
  return {
    ...dev,
    ...changes,
    deployment: { ...dev.deployment, throttling: UNHURRIED, ...(front === undefined ? {} : { front }) },
  };
}
