import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openRestApiEvents } from '../../lambda/api-gateway.ts';
import type { CodecRequest } from '../../lambda/server/http/message.ts';
import { restApiEvent } from '../support/rest-api-event.ts';

/** What Lambda returns at most for an invocation. */
const MOST_RESPONSE_BYTES = 6 * 1024 * 1024;

const ORIGIN = 'https://cloud.temporal.io';
const CONTEXT = { awsRequestId: 'lambda-1' } as never;
const events = openRestApiEvents({ origins: [ORIGIN], credentials: false });

function requestOf(...changes: Parameters<typeof restApiEvent>): CodecRequest {
  const event = restApiEvent(...changes);
  return events.requestOf(event, events.requestIdOf(event, CONTEXT), 0);
}

describe('a request out of a REST API’s event', () => {
  it('has the id that callers cannot choose', () => {
    expect(requestOf().requestId).toBe('JKJaXmPLvHcESHA=');
    expect(requestOf({}, { extendedRequestId: undefined as never }).requestId).toBe('lambda-1');
  });

  it('has the path without the stage at the default endpoint, and as it is at a domain', () => {
    expect(requestOf({ path: '/orders//decode' }).path).toBe('/orders//decode');
    const atDomain = { domainName: 'codec.example.com', path: '/live/decode' };
    expect(requestOf({ path: '/live/decode' }, atDomain).path).toBe('/live/decode');
    expect(requestOf({}, { path: '/live/live/decode' }).path).toBe('/live/decode');
    expect(requestOf({}, { path: '/lively/decode' }).path).toBe('/lively/decode');
  });

  it('has a path that can always be decoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(requestOf({}, { path: `/live/${name}/decode` }).path).toMatch(/^[\x21-\x7e]*$/);
      }),
    );
  });

  it('finds headers however the client wrote their names, and every one of those sent twice', () => {
    const request = requestOf({
      multiValueHeaders: {
        'X-NameSpace': ['orders'],
        AUTHORIZATION: ['Bearer a'],
        authorization: ['Bearer b, Bearer c'],
      },
    });
    expect(request.header('x-namespace')).toEqual(['orders']);
    expect(request.header('authorization')).toEqual(['Bearer a', 'Bearer b', 'Bearer c']);
    expect(request.header('origin')).toEqual([]);
    expect(requestOf({ multiValueHeaders: {}, headers: { Origin: ORIGIN } }).header('origin')).toEqual([ORIGIN]);
  });

  it('has the cookies of several headers as one', () => {
    expect(requestOf({ multiValueHeaders: { Cookie: ['a=1', 'b=2; c=3'] } }).header('cookie')).toEqual([
      'a=1; b=2; c=3',
    ]);
  });

  it('has the query', () => {
    const query = { preserveStorageRefs: ['true'], x: ['ä b', '2'] };
    expect(requestOf({ multiValueQueryStringParameters: query }).query).toBe('preserveStorageRefs=true&x=%C3%A4+b&x=2');
    expect(requestOf().query).toBe('');
  });

  it('has the body’s bytes, as text or in base64', () => {
    expect(Buffer.from(requestOf({ body: '{"ü":1}' }).body).toString()).toBe('{"ü":1}');
    const body = Buffer.from('{"ü":1}').toString('base64');
    expect(Buffer.from(requestOf({ body, isBase64Encoded: true }).body).toString()).toBe('{"ü":1}');
  });

  it('is one only when it comes from an API', () => {
    expect(events.recognizes(restApiEvent())).toBe(true);
    for (const event of [null, undefined, 1, {}, { httpMethod: 'GET', requestContext: { elb: {} } }])
      expect(events.recognizes(event)).toBe(false);
  });
});

describe('a result for a REST API', () => {
  const response = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

  it('has CORS headers for the page that asked, and for no other', () => {
    const asked = (origin: string) => restApiEvent({ multiValueHeaders: { oRigin: [origin] } });
    expect(events.resultOf(response, asked(ORIGIN)).headers).toMatchObject({ 'access-control-allow-origin': ORIGIN });
    const foreign = events.resultOf(response, asked('https://evil.example'));
    expect(foreign.headers).toEqual({ 'content-type': 'application/json', vary: 'Origin' });
    const twice = restApiEvent({ multiValueHeaders: { oRigin: [ORIGIN, 'https://evil.example'] } });
    expect(events.resultOf(response, twice).headers).not.toHaveProperty('access-control-allow-origin');
    expect(events.resultOf(response, undefined)).toMatchObject({ statusCode: 200, body: '{}', isBase64Encoded: false });
  });

  it('sets each cookie by itself', () => {
    const { multiValueHeaders } = events.resultOf({ ...response, cookies: ['a=1', 'b=2'] }, undefined);
    expect(multiValueHeaders).toEqual({ 'set-cookie': ['a=1', 'b=2'] });
  });

  it('is a 413 where Lambda could not carry it', () => {
    const result = events.resultOf({ ...response, body: 'x'.repeat(MOST_RESPONSE_BYTES) }, undefined);
    expect([result.statusCode, result.body.includes('6 MB')]).toEqual([413, true]);
  });
});
