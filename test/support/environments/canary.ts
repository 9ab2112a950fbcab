/** The production environment with a canary, whose schedule and alarm no other environment has. */
import type { EnvironmentConfig } from '../../../config/environment.ts';
import prod from './prod.ts';

const environment: EnvironmentConfig = {
  ...prod,
  deployment: { ...prod.deployment, alarms: { topic: 'created-by-stack', canary: true } },
};

export default environment;
