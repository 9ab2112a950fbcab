/** The development environment with external storage: a bucket of the stack that is written, and one of others that is read. */

import type { EnvironmentConfig } from '../../../config/environment.ts';
import dev from '../../../environments/dev.ts';

export const STORAGE_KEY = 'arn:aws:kms:eu-west-1:444455556666:key/99999999-2222-3333-4444-555555555555';

export const withStorage: EnvironmentConfig = {
  ...dev,
  storage: {
    buckets: [
      {
        bucket: 'created-by-stack',
        namespaces: ['orders-*.a1b2c', 'größe ~1'],
        write: true,
        expireAfterDays: 120,
      },
      {
        bucket: 'acme-archive',
        region: 'eu-west-1',
        namespaces: ['archive.a1b2c'],
        owner: '444455556666',
        encryptionKey: STORAGE_KEY,
      },
    ],
  },
};

export default withStorage;
