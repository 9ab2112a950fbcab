import { execFileSync } from 'node:child_process';
import {
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { changePrivateFile, makePrivateFile, readPrivateFile } from '../../../../codec/keys/secrets/private-file.ts';

function problemOf(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return (error as Error).message;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'private-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('says which kind of file it is that cannot be read or made', () => {
  const missing = join(folder, 'none');
  expect(() => readPrivateFile(missing, 'file of the client secret')).toThrow(
    `The file of the client secret ${missing} does not exist.`,
  );
  const open = join(folder, 'open');
  writeFileSync(open, 'x', { mode: 0o644 });
  expect(() => readPrivateFile(open, 'file of static keys')).toThrow(
    `The file of static keys ${open} can be read or changed by others (mode 644): run "chmod 600 ${open}".`,
  );
  const odd = join(folder, "Ada's keys");
  writeFileSync(odd, 'x', { mode: 0o644 });
  const chmod = problemOf(() => readPrivateFile(odd, 'keyring')).replace(/^.*run "(.*)"\.$/, '$1');
  execFileSync('sh', ['-c', chmod]);
  expect(readPrivateFile(odd, 'keyring')).toBe('x');
  const inAFile = join(open, 'keys.json');
  expect(() => makePrivateFile(inAFile, 'file of session keys', 'x')).toThrow(
    `The file of session keys ${inAFile} cannot be written (ENOTDIR).`,
  );
});

it('reads no more than a secret may have', () => {
  const path = join(folder, 'large');
  writeFileSync(path, 'x'.repeat(1_048_577), { mode: 0o600 });
  expect(() => readPrivateFile(path, 'keyring')).toThrow(`The keyring ${path} is too large: 1048577 bytes.`);
  expect(readPrivateFile(path, 'state file', 1_048_577)).toHaveLength(1_048_577);
});

it('keeps a folder that it makes out of a repository', () => {
  const path = join(folder, 'mine', '.codec-server', 'keyring.json');
  expect(makePrivateFile(path, 'keyring', '{}')).toBe(true);
  expect(readFileSync(join(folder, 'mine', '.codec-server', '.gitignore'), 'utf8')).toBe('*\n');
  expect(makePrivateFile(join(folder, 'other'), 'keyring', '{}')).toBe(true);
  expect(readdirSync(folder)).not.toContain('.gitignore');
});

it('makes the file that a symbolic link means, and changes it there', () => {
  symlinkSync('target.json', join(folder, 'link.json'));
  expect(makePrivateFile(join(folder, 'link.json'), 'keyring', 'one')).toBe(true);
  expect(makePrivateFile(join(folder, 'link.json'), 'keyring', 'two')).toBe(false);
  changePrivateFile(join(folder, 'link.json'), 'keyring', (before) => `${before} more`);
  expect(readPrivateFile(join(folder, 'target.json'), 'keyring')).toBe('one more');
  expect(lstatSync(join(folder, 'link.json')).isSymbolicLink()).toBe(true);
});

it('leaves a file as it was when the change fails', () => {
  const path = join(folder, 'kept');
  makePrivateFile(path, 'keyring', 'before');
  expect(() =>
    changePrivateFile(path, 'keyring', () => {
      throw new RangeError('no');
    }),
  ).toThrow(RangeError);
  expect(readPrivateFile(path, 'keyring')).toBe('before');
  expect(readdirSync(folder).filter((name) => name.startsWith('kept'))).toEqual(['kept']);
});

// Only root can give a file away.
(process.getuid?.() === 0 ? it : it.failing)(
  'takes no file of another user, and leaves the owner of what it changes',
  () => {
    const path = join(folder, 'foreign');
    makePrivateFile(path, 'keyring', 'x');
    chownSync(path, 12_345, 12_345);
    expect(() => readPrivateFile(path, 'keyring')).toThrow('belongs to another user (12345)');
  },
);
