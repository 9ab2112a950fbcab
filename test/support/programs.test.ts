import { describe, expect, it } from '@jest/globals';
import { start } from '../e2e/support/processes.ts';

/** Says that it is ready, and what it has to say about an answer a moment later, in two pieces. */
const LATE = `
  console.log('ready');
  setTimeout(() => process.stdout.write('{"type":"audit",'), 200);
  setTimeout(() => process.stdout.write('"status":200}\\n'), 400);
  setTimeout(() => {}, 60_000);
`;
const AUDIT_LINE = /^\{"type":"audit".*\}$/m;

describe('a program that a check started', () => {
  it('is waited for until a line is there whole, since it prints about an answer when the answer has left', async () => {
    const program = await start(process.execPath, ['-e', LATE], { ready: 'ready' });
    try {
      expect(program.output()).not.toMatch(AUDIT_LINE);
      await expect(program.prints(AUDIT_LINE)).resolves.toBe('{"type":"audit","status":200}');
      await expect(program.prints(AUDIT_LINE)).resolves.toBe('{"type":"audit","status":200}');
    } finally {
      await program.stop();
    }
  });

  it('that ends without the line is an error with its last words', async () => {
    const program = await start(process.execPath, ['-e', 'console.log("ready"); setTimeout(() => {}, 200)'], {
      ready: 'ready',
    });
    await expect(program.prints(/never/)).rejects.toThrow(/it ended with 0\nready$/);
  });
});
