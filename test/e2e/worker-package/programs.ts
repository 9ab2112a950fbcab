/** What a project does with the package: a client with the plugin, a payload there and back, a failure, and a payload over KMS. */

const BODY = `
const folder = mkdtempSync(join(tmpdir(), 'worker-package-'));
const keyring = join(folder, 'keyring.json');
const key = { name: 'k', key: Buffer.alloc(32, 1).toString('base64') };
writeFileSync(keyring, JSON.stringify({ namespace: 'codec-server', current: 'k', keys: [key] }), { mode: 0o600 });

async function main() {
  const plugins = [encryptionPlugin({ keys: { keyring } })];
  const client = new Client({ connection: Connection.lazy(), namespace: 'orders', plugins });
  const { payloadCodecs, failureConverter } = client.options.loadedDataConverter;
  const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"hello"') };
  const [encoded] = await payloadCodecs[0].encode([payload]);
  const [decoded] = await payloadCodecs[0].decode([encoded]);
  const { message } = failureConverter.errorToFailure(new Error('card 4242 refused'), defaultPayloadConverter);
  const kms = createPayloadCodec({ namespace: 'orders', keys: { kms: process.env.KMS_KEY } });
  const [byKms] = await kms.decode(await kms.encode([payload]));
  console.log(String(Buffer.from(encoded.metadata.encoding)), String(Buffer.from(decoded.data)), message, String(Buffer.from(byKms.data)));
}
main().catch((error) => { console.log(error.message); process.exitCode = 1; }).finally(() => rmSync(folder, { recursive: true }));
`;

const IMPORTS: readonly (readonly [names: string, from: string])[] = [
  ['mkdtempSync, rmSync, writeFileSync', 'node:fs'],
  ['tmpdir', 'node:os'],
  ['join', 'node:path'],
  ['Client, Connection', '@temporalio/client'],
  ['defaultPayloadConverter', '@temporalio/common'],
  ['createPayloadCodec, encryptionPlugin', 'temporal-codec-server-worker'],
];

/** What the program prints where everything works. */
export const EXPECTED = 'binary/aws-encryption-sdk "hello" Encoded failure "hello"\n';

export const asModule = IMPORTS.map(([names, from]) => `import { ${names} } from '${from}';`).join('\n') + BODY;
export const asCommonJs = IMPORTS.map(([names, from]) => `const { ${names} } = require('${from}');`).join('\n') + BODY;
