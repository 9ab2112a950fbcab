import { describe, expect, it } from '@jest/globals';
import { Progress } from '../../cli/progress.ts';
import { TestCommandIo } from '../support/command-io.ts';

function onTerminal(): TestCommandIo {
  const io = new TestCommandIo();
  return Object.assign(io, { stderr: { ...io.stderr, isTTY: true } });
}

describe('the line of progress', () => {
  it('is written anew on a terminal, at most five times a second, and erased in the end', () => {
    const io = onTerminal();
    const progress = new Progress(io);
    for (let done = 1; done <= 1_000; done++) progress.at(() => `${done} of \u001b[2J`);
    progress.clear();
    expect(io.err).toBe('\r\u001b[K1 of \\u{1b}[2J\r\u001b[K');
  });

  it('is never written where nobody looks, or for what is over in no time', () => {
    const io = new TestCommandIo({});
    const terminal = onTerminal();
    for (const progress of [new Progress(io), new Progress(terminal, 60_000)]) {
      progress.at(() => 'half');
      progress.clear();
    }
    expect([io.err, terminal.err]).toEqual(['', '']);
  });
});
