/** The local server as a target, over a socket. */
import { Agent, request as httpRequest } from 'node:http';
import { startLocalServer } from '../../lambda/node/local-server.ts';
import { contractPipeline, headersOf } from './in-process.ts';
import { CONTRACT_CONFIG, type ContractRequest, type ContractResponse, type TargetKind } from './target.ts';

export const LOCAL_SERVER: TargetKind = {
  name: 'the local server, over a socket',
  ownsCors: true,
  behindGateway: false,
  variants: true,
  async start(setup = {}) {
    const server = await startLocalServer({
      pipeline: contractPipeline(setup),
      cors: setup.config?.cors ?? CONTRACT_CONFIG.cors,
      bodyBytes: setup.config?.limits?.bodyBytes ?? CONTRACT_CONFIG.limits.bodyBytes,
      port: 0,
      onBug: (error) => {
        throw error;
      },
    });
    const agent = new Agent({ keepAlive: true });
    return {
      send: (request) => sendOverHttp(agent, server.port, request),
      close: async () => {
        agent.destroy();
        await server.close(100);
      },
    };
  },
};

/** Sends a request exactly as it is written: no path is normalized, no header is merged. */
export function sendOverHttp(agent: Agent, port: number, request: ContractRequest): Promise<ContractResponse> {
  const { method = 'POST', path = '/decode', query = '' } = request;
  const body = Buffer.from(request.body ?? '');
  const headers = [...headersOf(request), ['host', `localhost:${port}`], ['content-length', String(body.length)]];
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        agent,
        host: '127.0.0.1',
        port,
        method,
        path: query === '' ? path : `${path}?${query}`,
        headers: headers.flat(),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers as ContractResponse['headers'],
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
