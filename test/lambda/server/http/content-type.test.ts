import { describe, expect, it } from '@jest/globals';
import { HttpError } from '../../../../lambda/server/http/message.ts';
import { requireJson } from '../../../../lambda/server/http/route.ts';
import { cpuMilliseconds } from '../../../support/cpu-time.ts';

describe('the content type', () => {
  it.each([
    'application/json',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
    'APPLICATION/JSON ; charset = utf8',
    'application/json;',
    'application/json; profile=x',
    'application/json ; profile = x y ; charset = "utf-8" ;',
  ])('may be %s', (type) => {
    expect(() => requireJson([type], [])).not.toThrow();
  });

  it.each([
    [[]],
    [['']],
    [['application/json', 'application/json']],
    [['application/json, text/plain']],
    [['application/json+x']],
    [['application/json; charset=latin1']],
    [['application/json; profile=x; Charset="latin1"']],
    [['application/json; profile']],
    [['application/json; =x']],
    [['text/json']],
    [['multipart/form-data; boundary=application/json']],
  ])('may not be %j', (types) => {
    expect(() => requireJson(types, [])).toThrow(HttpError);
  });

  it('comes without a content coding', () => {
    expect(() => requireJson(['application/json'], ['identity'])).not.toThrow();
    for (const coding of ['gzip', 'br', 'identity, gzip'])
      expect(() => requireJson(['application/json'], [coding])).toThrow(expect.objectContaining({ status: 415 }));
  });

  it('is checked in time that does not depend on tricks', () => {
    const tricks = [' '.repeat(50_000), ';a= '.repeat(10_000), ';a=\t \t'.repeat(5_000), 'a= ='.repeat(10_000)];
    const refuse = () => {
      for (const trick of tricks) expect(() => requireJson([`application/json;${trick};!`], [])).toThrow(HttpError);
    };
    expect(cpuMilliseconds(refuse)).toBeLessThan(1_000);
  });
});
