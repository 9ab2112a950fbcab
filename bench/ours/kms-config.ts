/** A configuration with one KMS key, which the bench names in its environment. */
import type { CodecServerConfig } from '../../config/schema.ts';

const config: CodecServerConfig = {
  defaultNamespace: null,
  cors: { origins: ['http://localhost:8233'], credentials: false },
  failures: 'explain',
  compression: null,
  identity: null,
  access: [{ name: 'this machine', namespaces: ['*'], people: ['anyone-on-loopback'], allow: ['decode'] }],
  keys: {
    keyring: null,
    kms: [{ namespaces: ['*'], write: null, read: [process.env['BENCH_KMS_KEY'] ?? ''] }],
    staticKeys: null,
  },
};

export default config;
