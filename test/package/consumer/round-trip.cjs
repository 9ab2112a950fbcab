const { writeFileSync } = require('node:fs');
const path = require('node:path');

/** Encodes and decodes one payload with a keyring of its own, and prints what came of it. */
exports.roundTrip = async ({ createDataConverter, createPayloadCodec }) => {
  const keyring = path.join(__dirname, `keyring-${process.pid}.json`);
  const key = { name: 'k', key: Buffer.alloc(32, 1).toString('base64') };
  writeFileSync(keyring, JSON.stringify({ namespace: 'codec-server', current: 'k', keys: [key] }), { mode: 0o600 });
  const options = { namespace: 'default', keys: { keyring } };
  const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"hello"') };
  const [encoded] = await createDataConverter(options).payloadCodecs[0].encode([payload]);
  const [decoded] = await createPayloadCodec(options).decode([encoded]);
  process.stdout.write(`${Buffer.from(encoded.metadata.encoding)} ${Buffer.from(decoded.data)}\n`);
};
