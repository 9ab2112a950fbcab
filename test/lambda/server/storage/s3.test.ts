import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpHandlerOptions, HttpRequest } from '@smithy/types';
import { createS3 } from '../../../../lambda/server/storage/s3.ts';
import { S3StandIn } from '../../../support/s3-stand-in.ts';

const REGIONAL = 'arn:aws:s3:eu-west-1:111122223333:accesspoint/payloads';
const MULTI_REGION = 'arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap';

describe('S3 by its real client', () => {
  let s3: S3StandIn;
  let sent: HttpRequest[];

  beforeEach(async () => {
    s3 = await S3StandIn.start();
    s3.objects.set('v0/d/x', Buffer.from('sealed'));
    sent = [];
  });
  afterEach(() => s3.close());

  /** Reads `v0/d/x` of a bucket; the client addresses and signs as for AWS, and what it sends arrives at the stand-in. */
  async function read(bucket: string, region: string): Promise<string> {
    const { NodeHttpHandler } = await import('@smithy/node-http-handler');
    const { hostname, port } = new URL(s3.endpoint);
    class Rerouted extends NodeHttpHandler {
      override handle(request: HttpRequest, options?: HttpHandlerOptions) {
        sent.push({ ...request });
        const here = Object.assign(request, { protocol: 'http:', hostname, port: Number(port) });
        return super.handle(here as Parameters<InstanceType<typeof NodeHttpHandler>['handle']>[0], options);
      }
    }
    const store = createS3({ credentials: s3.client.credentials, requestHandler: new Rerouted() });
    const place = { bucket, region, owner: undefined, key: 'v0/d/x' };
    const bytes = await store.get(place, () => true, AbortSignal.timeout(5000));
    store.close();
    return Buffer.from(bytes).toString();
  }

  it('reads through an access point in the Region of its ARN', async () => {
    expect(await read(REGIONAL, 'eu-west-1')).toBe('sealed');
    expect(sent[0]?.hostname).toBe('payloads-111122223333.s3-accesspoint.eu-west-1.amazonaws.com');
    expect(sent[0]?.headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 .*\/eu-west-1\/s3\//);
  });

  it('reads through a Multi-Region Access Point, signed for every Region', async () => {
    expect(await read(MULTI_REGION, 'us-east-1')).toBe('sealed');
    expect(sent[0]?.hostname).toBe('mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com');
    expect(sent[0]?.headers['authorization']).toMatch(/^AWS4-ECDSA-P256-SHA256 /);
    expect(sent[0]?.headers['x-amz-region-set']).toBe('*');
  });
});
