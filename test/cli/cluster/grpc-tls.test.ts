import { afterEach, describe, expect, it } from '@jest/globals';
import { createGrpcClient, type GrpcError, type TlsSettings } from '../../../cli/cluster/grpc-client.ts';
import { makeTestCertificate } from '../../support/certificate.ts';
import { startTemporalStandIn, type TemporalStandIn } from '../../support/temporal-stand-in.ts';

const server = makeTestCertificate();
const client = makeTestCertificate();
const stranger = makeTestCertificate();
const pem = ({ cert, key }: { cert: string; key: string }) => ({ cert: Buffer.from(cert), key: Buffer.from(key) });

let standIn: TemporalStandIn;
afterEach(() => standIn.close());

/** The answer, or the code of the failure. */
async function ask(tls: TlsSettings | undefined): Promise<string | number> {
  const grpc = createGrpcClient({ address: standIn.address, tls, metadata: { authorization: 'Bearer secret' } });
  try {
    return (await grpc.call('service', 'Ask', Buffer.alloc(0))).toString();
  } catch (error) {
    return (error as GrpcError).code;
  } finally {
    grpc.close();
  }
}
const answers = { Ask: () => Buffer.from('here') };
const UNAVAILABLE = 14;

describe('gRPC over TLS', () => {
  it('reaches a server whose certificate is trusted, and tells no other server anything', async () => {
    standIn = await startTemporalStandIn(answers, server);
    expect(await ask({ ca: Buffer.from(server.cert) })).toBe('here');
    expect(await ask({})).toBe(UNAVAILABLE);
    expect(await ask({ ca: Buffer.from(stranger.cert) })).toBe(UNAVAILABLE);
    expect(await ask({ ca: Buffer.from(server.cert), servername: 'other.example.com' })).toBe(UNAVAILABLE);
    expect(await ask(undefined)).toBe(UNAVAILABLE);
    expect(standIn.calls.length).toBe(1);
  });

  it('shows its own certificate where the server wants one', async () => {
    standIn = await startTemporalStandIn(answers, { ...server, requestCert: true, ca: client.cert });
    const ca = Buffer.from(server.cert);
    expect(await ask({ ca, ...pem(client) })).toBe('here');
    expect(await ask({ ca })).toBe(UNAVAILABLE);
    expect(await ask({ ca, ...pem(stranger) })).toBe(UNAVAILABLE);
    expect(standIn.calls.length).toBe(1);
  });
});
