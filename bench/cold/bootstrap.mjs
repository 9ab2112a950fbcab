// What Lambda's Node runtime does around a handler, and no more: load it, then ask for events and
// post answers. Plain JavaScript, since stripping types would be part of every cold start measured.
//
// usage: AWS_LAMBDA_RUNTIME_API=host:port node bootstrap.mjs /path/to/index.mjs
import { Agent, request } from 'node:http';
import { pathToFileURL } from 'node:url';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const base = '/2018-06-01/runtime/invocation';

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, method, path, agent }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const { handler } = await import(pathToFileURL(process.argv[2]).href);

for (;;) {
  const { headers, text } = await call('GET', `${base}/next`);
  const id = headers['lambda-runtime-aws-request-id'];
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const context = {
    awsRequestId: id,
    functionName: 'codec',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:codec',
    memoryLimitInMB: '1024',
    logGroupName: 'codec',
    logStreamName: 'bench',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    const answer = await handler(JSON.parse(text), context);
    await call('POST', `${base}/${id}/response`, JSON.stringify(answer));
  } catch (error) {
    await call('POST', `${base}/${id}/error`, JSON.stringify({ errorMessage: String(error) }));
  }
}
