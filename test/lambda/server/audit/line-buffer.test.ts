import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LineBuffer } from '../../../../lambda/server/audit/logger.ts';

function bufferInto(writes: string[]): LineBuffer {
  return new LineBuffer((text) => writes.push(text));
}

describe('a line buffer', () => {
  it('writes the lines it keeps in one piece, in order, and once', () => {
    const writes: string[] = [];
    const lines = bufferInto(writes);
    lines.keep('a');
    lines.keep('b');
    expect(writes).toEqual([]);
    lines.flush();
    lines.flush();
    expect(writes).toEqual(['a\nb\n']);
  });

  it('writes the lines of a turn of the event loop when it is over', async () => {
    const writes: string[] = [];
    const lines = bufferInto(writes);
    lines.keepForThisTurn('a');
    lines.keepForThisTurn('b');
    await setImmediate();
    lines.keepForThisTurn('c');
    expect(writes).toEqual(['a\nb\n']);
    await setImmediate();
    expect(writes).toEqual(['a\nb\n', 'c\n']);
  });

  it('does not keep a flood', () => {
    const writes: string[] = [];
    const lines = bufferInto(writes);
    for (let i = 0; i < 10; i++) lines.keep('x'.repeat(10_000));
    expect(writes.join('').length).toBeGreaterThan(65_536);
  });

  it('loses nothing when a write fails', () => {
    const writes: string[] = [];
    let fails = true;
    const lines = new LineBuffer((text) => {
      if (fails) throw new Error('no space left');
      writes.push(text);
    });
    lines.keep('a');
    expect(() => lines.flush()).toThrow('no space left');
    fails = false;
    lines.keep('b');
    lines.flush();
    expect(writes).toEqual(['a\nb\n']);
  });
});
