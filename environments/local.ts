/**
 * The local server, `npm start`: an embedded keyring, no AWS, nobody asked who they are. It listens on
 * loopback addresses only, and refuses any other while `identity` is `null`.
 */
import type { CodecServerConfig } from '../config/schema.ts';

const local: CodecServerConfig = {
  defaultNamespace: 'default',
  cors: {
    // Web UIs: the CLI's dev server under both of its names, the UI server's default port, Temporal Cloud.
    origins: ['http://localhost:8233', 'http://127.0.0.1:8233', 'http://localhost:8080', 'https://cloud.temporal.io'],
    credentials: false,
  },
  failures: 'explain',
  compression: null,
  identity: null,
  access: [{ name: 'this machine', namespaces: ['*'], people: ['anyone-on-loopback'], allow: ['decode', 'encode'] }],
  keys: {
    keyring: { file: '.codec-server/keyring.json' },
    kms: null,
    // What Temporal's samples encrypt with; public, so accepted here and nowhere else.
    staticKeys: { samplesTestKey: true },
  },
};

export default local;
