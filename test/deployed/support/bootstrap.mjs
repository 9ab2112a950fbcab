/**
 * What runs a function inside Lambda: loads the handler, asks the Runtime API for an event, answers,
 * and asks again. Speaks the API of
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and does nothing beside.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Lambda's own runtime brings a client of its own; importing this one would load a good deal beside it.
const { Agent, request } = process.getBuiltinModule('node:http');

const [host, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? '').split(':');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const [file, exported] = (process.env._HANDLER ?? '').split('.');

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path: `/2018-06-01/runtime${path}`, agent }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function errorOf(error) {
  return JSON.stringify({ errorType: error?.name ?? 'Error', errorMessage: String(error?.message ?? error) });
}

let handler;
try {
  const module = await import(pathToFileURL(join(process.env.LAMBDA_TASK_ROOT ?? '', `${file}.mjs`)).href);
  handler = module[exported];
  if (typeof handler !== 'function') throw new Error(`${process.env._HANDLER} is no function`);
} catch (error) {
  process.stderr.write(`${error?.stack ?? error}\n`);
  await call('POST', '/init/error', errorOf(error));
  process.exit(1);
}

for (;;) {
  const { headers, body } = await call('GET', '/invocation/next');
  const id = headers['lambda-runtime-aws-request-id'];
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    const result = await handler(JSON.parse(body), context);
    await call('POST', `/invocation/${id}/response`, JSON.stringify(result) ?? 'null');
  } catch (error) {
    process.stderr.write(`${error?.stack ?? error}\n`);
    await call('POST', `/invocation/${id}/error`, errorOf(error));
  }
}
