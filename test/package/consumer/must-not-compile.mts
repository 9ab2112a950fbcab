import { createPayloadCodec } from 'temporal-codec-server';

createPayloadCodec(); // refused: nothing to go by
createPayloadCodec({ keys: { keyring: 'k' } }); // refused: no namespace
createPayloadCodec({ namespace: 'a' }); // refused: no keys
createPayloadCodec({ namespace: 'a', keys: {} }); // refused: no keys either
createPayloadCodec({ namespace: 'a', keys: { kms: ['arn'] } }); // refused: keys without namespaces
createPayloadCodec({ namespace: 'a', keys: { keyring: 'k' }, compression: 'gzip' }); // refused: not written
createPayloadCodec({ namespace: 'a', keys: { keyring: 'k' }, compress: 'zstd' }); // refused: misspelt
