/** A CommonJS CDK app of a team's own: two codec servers in one stack, and one that uses what the app has made. */
const { App, RemovalPolicy, Stack } = require('aws-cdk-lib');
const { Certificate } = require('aws-cdk-lib/aws-certificatemanager');
const { Role, ServicePrincipal } = require('aws-cdk-lib/aws-iam');
const { Key } = require('aws-cdk-lib/aws-kms');

const { Topic } = require('aws-cdk-lib/aws-sns');
const { CodecServer } = require('temporal-codec-server/cdk');
const { defineConfig } = require('temporal-codec-server/config');

const config = defineConfig({
  defaultNamespace: null,
  cors: { origins: ['https://cloud.temporal.io'], credentials: false },
  failures: 'explain',
  compression: null,
  identity: { issuers: [{ type: 'temporal-cloud' }], serviceTokens: null },
  access: [],
  keys: {
    keyring: null,
    kms: [{ namespaces: ['orders-prod.a1b2c', 'billing-prod.a1b2c'], write: 'created-by-stack' }],
    staticKeys: null,
  },
});

const app = new App();
const stack = new Stack(app, 'Team');
const orders = new CodecServer(stack, 'Orders', { name: 'orders', config, alarms: null, dashboard: false });
const worker = new Role(stack, 'Worker', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
orders.grantWorker(worker, ['orders-prod.a1b2c']);
new CodecServer(stack, 'Billing', {
  name: 'billing',
  config,
  encryptionKey: new Key(stack, 'Key'),
  operationsKey: new Key(stack, 'LogsKey'),
  alarmTopic: new Topic(stack, 'Topic'),
  domain: {
    name: 'codec.example.com',
    certificate: new Certificate(stack, 'Certificate', { domainName: 'codec.example.com' }),
  },
  removalPolicy: RemovalPolicy.DESTROY,
  functionProps: { memorySize: 2048 },
});
