import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openSources, SourceError } from '../../../cli/histories/sources.ts';
import { TestCommandIo } from '../../support/command-io.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sources-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** What is read, by the name of its output; or the sentence. */
async function read(...files: string[]): Promise<Record<string, string> | string> {
  const found: Record<string, string> = {};
  try {
    for await (const source of openSources(files, new TestCommandIo({ cwd }))) {
      const chunks: Buffer[] = [];
      for await (const chunk of source.chunks()) chunks.push(chunk);
      found[source.outputName] = Buffer.concat(chunks).toString();
    }
  } catch (error) {
    if (error instanceof SourceError) return error.message;
    throw error;
  }
  return found;
}

describe('what is read', () => {
  it.each([
    ['as it is', Buffer.from('{}')],
    ['compressed', gzipSync('{}')],
  ])('may be a pipe, as a shell gives one for <(…): %s', async (_, bytes) => {
    writeFileSync(join(cwd, 'bytes'), bytes);
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    spawn('sh', ['-c', 'cat bytes > pipe'], { cwd });
    expect(await read('pipe')).toEqual({ pipe: '{}' });
  });

  it('is every file of a folder, behind links, too, of which none is followed in a circle', async () => {
    mkdirSync(join(cwd, 'folder/inside'), { recursive: true });
    mkdirSync(join(cwd, 'elsewhere'));
    writeFileSync(join(cwd, 'folder/inside/a.json'), 'a');
    writeFileSync(join(cwd, 'elsewhere/b.json'), 'b');
    symlinkSync('../elsewhere/b.json', join(cwd, 'folder/file'));
    symlinkSync('../elsewhere', join(cwd, 'folder/linked'));
    expect(await read('folder')).toEqual({ file: 'b', 'inside/a.json': 'a', 'linked/b.json': 'b' });
    symlinkSync('..', join(cwd, 'folder/inside/up'));
    expect(await read('folder')).toBe('folder/inside/up leads back to a folder that it is in.');
  });

  it('leaves out nothing of a folder without a word', async () => {
    mkdirSync(join(cwd, 'folder'));
    symlinkSync('nowhere', join(cwd, 'folder/dangling'));
    expect(await read('folder')).toBe('folder/dangling cannot be read (ENOENT).');
    rmSync(join(cwd, 'folder/dangling'));
    execFileSync('mkfifo', [join(cwd, 'folder/pipe')]);
    expect(await read('folder')).toBe('folder/pipe is neither a file nor a folder.');
  });
});
