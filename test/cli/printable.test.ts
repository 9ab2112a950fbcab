import { expect, it } from '@jest/globals';
import { printable, printableJson } from '../../config/printable.ts';

const NASTY = ['\u001b[2J', '\u009b2J', '\u202e', '\u2066', '\u200b', '\u{e0041}', '\u2028', '\u007f'];

it('leaves nothing in a text that moves a cursor or turns the order of letters', () => {
  for (const text of NASTY) expect(printable(`a${text}b`)).toMatch(/^a [ -~]*b$/);
  expect(printable('Zürich 東京')).toBe('Zürich 東京');
});

it('escapes the same in JSON, which parses to the same value', () => {
  const value = { list: NASTY, name: 'Zürich 東京' };
  const text = printableJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/u);
  expect(text).toContain('Zürich 東京');
});
