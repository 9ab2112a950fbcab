import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { httpApiEvents } from '../../lambda/api-gateway.ts';
import type { CodecRequest, CodecResponse } from '../../lambda/server/http/message.ts';
import { apiGatewayEvent } from '../support/api-gateway-event.ts';

const events = httpApiEvents;

/** What Lambda returns at most for an invocation. */
const MOST_RESPONSE_BYTES = 6 * 1024 * 1024;

function requestOf(changes: Parameters<typeof apiGatewayEvent>[0]): CodecRequest {
  const event = apiGatewayEvent(changes);
  return events.requestOf(event, events.requestIdOf(event, {} as never), 0);
}

const apiGatewayResult = (response: CodecResponse) => events.resultOf(response, undefined);

describe('a request out of an API Gateway event', () => {
  it('has the method, the raw query and the gateway’s request id', () => {
    const request = requestOf({ rawQueryString: 'preserveStorageRefs=true' });
    expect(request.method).toBe('POST');
    expect(request.query).toBe('preserveStorageRefs=true');
    expect(request.requestId).toBe('JKJaXmPLvHcESHA=');
  });

  it('keeps doubled slashes and prefixes of the path', () => {
    expect(requestOf({ rawPath: '//decode' }).path).toBe('//decode');
    expect(requestOf({ rawPath: '/team/orders.a1b2c//decode/' }).path).toBe('/team/orders.a1b2c//decode/');
  });

  it('encodes again what the gateway has decoded in the path', () => {
    expect(requestOf({ rawPath: '/{namespace}/decode' }).path).toBe('/%7Bnamespace%7D/decode');
    expect(requestOf({ rawPath: '/a b?c#d/decode' }).path).toBe('/a%20b%3Fc%23d/decode');
    expect(requestOf({ rawPath: '/größe/100%/decode' }).path).toBe('/gr%C3%B6%C3%9Fe/100%25/decode');
    expect(requestOf({ rawPath: '/\ud800/decode' }).path).toBe('/%EF%BF%BD/decode');
  });

  it('leaves a path that is encoded as it is', () => {
    expect(requestOf({ rawPath: '/%7Bnamespace%7D/decode' }).path).toBe('/%7Bnamespace%7D/decode');
  });

  it('has a path that can always be decoded, to what the gateway decoded it to', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        fc.pre(!/%[0-9a-f]{2}/i.test(name));
        const { path } = requestOf({ rawPath: `/${name}/decode` });
        expect(path).toMatch(/^[\x21-\x7e]*$/);
        expect(decodeURIComponent(path)).toBe(`/${name.toWellFormed()}/decode`);
      }),
    );
  });

  it('has the bytes of a text body and of a base64 body', () => {
    expect(requestOf({ body: '{"ü":1}' }).body).toEqual(Buffer.from('{"ü":1}'));
    expect(requestOf({ body: Buffer.from([0xff, 0]).toString('base64'), isBase64Encoded: true }).body).toEqual(
      Buffer.from([0xff, 0]),
    );
    expect(requestOf({}).body).toHaveLength(0);
  });

  it('shows each of two tokens that the gateway joined with a comma', () => {
    const headers = { authorization: 'Bearer one,Bearer two', 'authorization-extras': 'x, y', 'x-namespace': 'a,b' };
    const request = requestOf({ headers });
    expect(request.header('authorization')).toEqual(['Bearer one', 'Bearer two']);
    expect(request.header('authorization-extras')).toEqual(['x', 'y']);
    expect(request.header('x-namespace')).toEqual(['a', 'b']);
  });

  it('does not take apart headers in whose values commas mean something', () => {
    expect(requestOf({ headers: { accept: 'text/html, */*' } }).header('accept')).toEqual(['text/html, */*']);
  });

  it('has no value for a header that was not sent, whatever its name', () => {
    const request = requestOf({ headers: JSON.parse('{"content-type":"application/json"}') });
    expect(request.header('x-namespace')).toEqual([]);
    expect(request.header('constructor')).toEqual([]);
    expect(request.header('__proto__')).toEqual([]);
  });

  it('has the cookies as the one header they came in', () => {
    expect(requestOf({ cookies: ['a=1', 'b=2'] }).header('cookie')).toEqual(['a=1; b=2']);
    expect(requestOf({ cookies: [] }).header('cookie')).toEqual([]);
    expect(requestOf({}).header('cookie')).toEqual([]);
  });
});

describe('the result of a response', () => {
  const headers = { 'content-type': 'application/json', 'x-request-id': 'r1' };

  it('has its status, headers and body', () => {
    expect(apiGatewayResult({ status: 200, headers, body: '{"payloads":[]}' })).toEqual({
      statusCode: 200,
      headers: { ...headers, vary: 'origin' },
      body: '{"payloads":[]}',
    });
  });

  it('is a 413 of ours when Lambda could not carry it', () => {
    const result = apiGatewayResult({ status: 200, headers, body: 'x'.repeat(MOST_RESPONSE_BYTES) });
    expect(result).toMatchObject({
      statusCode: 413,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-request-id': 'r1' },
      body: expect.stringContaining('6 MB'),
    });
  });

  it('stays within Lambda’s limit whatever is in the body, and uses what there is of it', () => {
    for (const character of ['x', '"', '€']) {
      for (const characters of [2_090_000, 3_140_000, 3_150_000]) {
        const result = apiGatewayResult({ status: 200, headers, body: character.repeat(characters) });
        const bytes = Buffer.byteLength(JSON.stringify(result));
        const wanted = Buffer.byteLength(JSON.stringify(character.repeat(characters)));
        expect(bytes).toBeLessThanOrEqual(MOST_RESPONSE_BYTES);
        expect(result.statusCode).toBe(wanted <= MOST_RESPONSE_BYTES - 4096 ? 200 : 413);
      }
    }
  });
});
