const { defaultPayloadConverter } = require('@temporalio/common');
const { loadDataConverter } = require('@temporalio/common/lib/internal-non-workflow');

/** Converts a failure as a worker does, and prints what would be stored. */
exports.failure = (createDataConverter) => {
  const keys = { source: { unwrap: () => {}, materialsFor: () => {} } };
  const { failureConverter } = loadDataConverter(createDataConverter({ namespace: 'default', keys }));
  const error = new Error('card 4242 refused');
  error.stack = '';
  const { message, encodedAttributes } = failureConverter.errorToFailure(error, defaultPayloadConverter);
  const attributes = JSON.parse(Buffer.from(encodedAttributes.data).toString());
  process.stdout.write(`${message}: ${JSON.stringify({ message: attributes.message })}\n`);
};
