import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PrivateFileError } from '../../../../codec/errors.ts';
import {
  addKeyToKeyringFile,
  readKeyringFile,
  readOrMakeKeyringFile,
} from '../../../../codec/keys/keyring/keyring-file.ts';
import { makePrivateFile } from '../../../../codec/keys/secrets/private-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyring-'));
  path = join(folder, 'deep', 'keyring.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function problemOf(action: () => unknown): PrivateFileError {
  try {
    action();
  } catch (error) {
    if (error instanceof PrivateFileError) return error;
    throw error;
  }
  throw new Error('nothing went wrong');
}

/** Runs a piece of code of the project in another process. */
function elsewhere(code: string): Promise<string> {
  const module = new URL('../../../../codec/keys/keyring/keyring-file.ts', import.meta.url);
  const script = `import * as file from ${JSON.stringify(module.href)}; const path = ${JSON.stringify(path)}; ${code}`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]).then((it) => it.stdout);
}

describe('a keyring file', () => {
  it('is made on first use, in a folder that is made too, readable by its owner alone', () => {
    const { keyring, made } = readOrMakeKeyringFile(path);
    expect(made).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readOrMakeKeyringFile(path)).toEqual({ keyring, made: false });
    expect(readdirSync(join(folder, 'deep'))).toEqual(['keyring.json']);
  });

  it.each([0o640, 0o604, 0o620, 0o601])('is refused when others have access to it (mode %o)', (mode) => {
    readOrMakeKeyringFile(path);
    chmodSync(path, mode);
    const error = problemOf(() => readOrMakeKeyringFile(path));
    expect(error.problem).toBe('not-private');
    expect(error.message).toBe(
      `The keyring ${path} can be read or changed by others (mode ${mode.toString(8)}): run "chmod 600 ${path}".`,
    );
  });

  it('is refused when it is malformed, and left as it is', () => {
    mkdirSync(join(folder, 'deep'));
    writeFileSync(path, '{"namespace":1}', { mode: 0o600 });
    for (const action of [() => readOrMakeKeyringFile(path), () => addKeyToKeyringFile(path, 'b')]) {
      const error = problemOf(action);
      expect(error.problem).toBe('malformed');
      expect(error.message).toBe(`The keyring ${path} cannot be used: the keyring has no "current".`);
    }
    expect(readFileSync(path, 'utf8')).toBe('{"namespace":1}');
  });

  it('names a missing file by its whole path, since nobody knows in which folder a worker stands', () => {
    const { path: named, message } = problemOf(() => readKeyringFile('no-such-folder/keyring.json'));
    expect(named).toBe('no-such-folder/keyring.json');
    expect(message).toContain(`The keyring ${join(process.cwd(), 'no-such-folder/keyring.json')} does not exist.`);
  });

  it('says so when it is missing, a folder, a pipe, or too large', () => {
    const missing = problemOf(() => readKeyringFile(path)).message;
    expect(missing).toMatch(`The keyring ${path} does not exist. To get one, copy the one of the codec server`);
    expect(missing).toMatch(`codec-server keygen --keyring ${path}`);
    expect(problemOf(() => readKeyringFile(folder)).message).toBe(`The keyring ${folder} is not a file.`);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    expect(problemOf(() => readKeyringFile(pipe)).message).toBe(`The keyring ${pipe} is not a file.`);
    const large = join(folder, 'large');
    writeFileSync(large, Buffer.alloc(1_048_577), { mode: 0o600 });
    expect(problemOf(() => readKeyringFile(large)).message).toBe(`The keyring ${large} is too large: 1048577 bytes.`);
  });

  it('says so when it cannot be made', () => {
    writeFileSync(join(folder, 'deep'), '');
    expect(problemOf(() => readOrMakeKeyringFile(path)).problem).toBe('unreadable');
    expect(problemOf(() => addKeyToKeyringFile(path, 'a')).problem).toBe('not-writable');
  });

  // Node's own recursive mkdir would try for ever here.
  it('says so where the file system lets nobody make folders', () => {
    if (process.platform !== 'linux') return;
    expect(() => readOrMakeKeyringFile('/proc/no-such-folder/keyring.json')).toThrow(PrivateFileError);
  });

  it('gets a new key that becomes current, and keeps the older ones', () => {
    expect(addKeyToKeyringFile(path, 'first').keys).toHaveLength(1);
    const keyring = addKeyToKeyringFile(path, 'second');
    expect(keyring.current).toBe('second');
    expect(keyring.keys.map((key) => key.name)).toEqual(['first', 'second']);
    expect(readKeyringFile(path)).toEqual(keyring);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(problemOf(() => addKeyToKeyringFile(path, 'first')).message).toBe(
      `The keyring ${path} was not changed: it already has a key named "first".`,
    );
    expect(readdirSync(join(folder, 'deep'))).toEqual(['keyring.json']);
  });

  it('is one file when several processes make it at the same moment', async () => {
    const start = Date.now() + 700;
    const code = `while (Date.now() < ${start}); console.log(file.readOrMakeKeyringFile(path).keyring.current);`;
    const names = await Promise.all([1, 2, 3, 4].map(() => elsewhere(code)));
    expect(new Set(names).size).toBe(1);
    expect(names[0]?.trim()).toBe(readKeyringFile(path).current);
  });

  it('loses no key when several processes add one at the same moment', async () => {
    const start = Date.now() + 700;
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        elsewhere(`while (Date.now() < ${start}); file.addKeyToKeyringFile(path, '${name}');`),
      ),
    );
    expect(
      readKeyringFile(path)
        .keys.map((key) => key.name)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
  });

  it('does not wait for ever for a lock that nobody holds', () => {
    readOrMakeKeyringFile(path);
    writeFileSync(`${path}.lock`, '');
    const error = problemOf(() => addKeyToKeyringFile(path, 'b'));
    expect(error.problem).toBe('busy');
    expect(error.message).toContain(`delete ${path}.lock if there is none`);
  });

  it('is made under a lock where the file system has no links', () => {
    const noLinks = () => {
      throw Object.assign(new Error('no links'), { code: 'ENOTSUP' });
    };
    expect(makePrivateFile(path, 'keyring', 'one', noLinks)).toBe(true);
    expect(makePrivateFile(path, 'keyring', 'two', noLinks)).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(readdirSync(join(folder, 'deep'))).toEqual(['keyring.json']);
  });
});
