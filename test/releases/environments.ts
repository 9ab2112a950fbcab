/** The environments whose templates and configurations a release freezes: together they use every part of the stack. */
import type { EnvironmentConfig } from '../../config/environment.ts';
import dev from '../../environments/dev.ts';
import full from '../support/environments/full.ts';
import prod from '../support/environments/prod.ts';
import signIn from '../support/environments/sign-in.ts';
import { withStorage } from '../support/environments/with-storage.ts';

/** By the name of the file that a release keeps them in. */
export const FROZEN_ENVIRONMENTS: Readonly<
  Record<string, { readonly name: string; readonly config: EnvironmentConfig }>
> = {
  dev: { name: 'dev', config: dev },
  prod: { name: 'prod', config: prod },
  full: { name: 'prod', config: full },
  'sign-in': { name: 'prod', config: signIn },
  storage: { name: 'dev', config: withStorage },
};
