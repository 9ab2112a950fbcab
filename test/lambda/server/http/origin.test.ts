import { expect, it } from '@jest/globals';
import { allowedOrigin } from '../../../../lambda/server/http/origin.ts';

const UI = 'https://cloud.temporal.io';

it('of a page that calls is one that is allowed, exactly and alone', () => {
  const allowed = new Set([UI, 'http://localhost:8233']);
  expect([allowedOrigin([], allowed), allowedOrigin([UI], allowed)]).toEqual([undefined, UI]);
  for (const values of [
    [''],
    ['null'],
    [`${UI}/`],
    [`${UI}:443`],
    [UI.toUpperCase()],
    ['http://cloud.temporal.io'],
    ['http://localhost:8233.evil.example'],
    [`${UI}, https://evil.example`],
    [UI, 'https://evil.example'],
    ['https://evil.example', UI],
    [UI, UI],
  ])
    expect(() => allowedOrigin(values, allowed)).toThrow('This origin may not use the codec server');
});
