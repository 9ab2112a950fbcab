/** The local configuration with limits that let 100,000 payloads through. */

import type { CodecServerConfig } from '../../config/schema.ts';
import local from '../../environments/local.ts';

const config: CodecServerConfig = { ...local, limits: { bodyBytes: 64_000_000, payloads: 100_000 } };

export default config;
