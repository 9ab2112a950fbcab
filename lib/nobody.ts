/** A configuration by which nobody may do anything. */
import type { CodecServerConfig } from '../config/schema.ts';

/** Takes the place of a configuration with problems, so that what the app does with the construct goes on until all are told. */
export const NOBODY: CodecServerConfig = {
  defaultNamespace: null,
  cors: { origins: [], credentials: false },
  failures: 'explain',
  compression: null,
  identity: { issuers: [{ type: 'temporal-cloud' }], serviceTokens: null },
  access: [],
  keys: { keyring: null, kms: [{ namespaces: ['*'], write: 'created-by-stack' }], staticKeys: null },
};
