/** An environment where people sign in, and nobody has another way. */
import type { EnvironmentConfig } from '../../../config/environment.ts';
import prod from './prod.ts';

const environment: EnvironmentConfig = {
  ...prod,
  cors: { origins: ['https://temporal.example.com'], credentials: true },
  identity: {
    issuers: [],
    serviceTokens: null,
    signIn: {
      issuer: 'https://login.example.com/',
      clientId: 'codec-server',
      clientSecret: { secret: 'created-by-stack' },
      publicUrl: 'https://codec.example.com',
      sessionKeys: { secret: 'created-by-stack' },
    },
  },
};

export default environment;
