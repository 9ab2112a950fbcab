/** An ES module CDK app: the environments of the package's starter as stacks, and a configuration with problems. */
import { App, Stack } from 'aws-cdk-lib';
import { CodecServer, CodecServerStack } from 'temporal-codec-server/cdk';
import dev from './dev.mjs';

const app = new App();
new CodecServerStack(app, 'CodecServer-dev', { environment: 'dev', config: dev });
if (process.env['WITH_PROBLEMS']) {
  const refused = new CodecServer(new Stack(app, 'Refused'), 'Codec', {
    name: 'Not A Name',
    config: { ...dev, identity: null },
  });
  if (!refused.endpoint) throw new Error('the app cannot go on');
}
