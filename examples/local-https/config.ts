/** The local server with identity: tokens of the issuer beside this file, and one person who may read and write. */

import type { CodecServerConfig } from '../../config/schema.ts';
import local from '../../environments/local.ts';

const config: CodecServerConfig = {
  ...local,
  identity: {
    issuers: [
      {
        type: 'oidc',
        issuer: 'https://localhost:8899/',
        jwksUri: 'https://localhost:8899/jwks.json',
        audience: 'codec',
        from: 'authorization',
      },
    ],
    serviceTokens: null,
  },
  access: [
    { name: 'alice', namespaces: ['default'], people: [{ email: 'alice@example.com' }], allow: ['decode', 'encode'] },
  ],
};

export default config;
