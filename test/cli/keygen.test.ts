import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keygen } from '../../cli/keygen.ts';
import { parseKeyring } from '../../codec/keys/keyring/keyring.ts';
import { readKeyringFile } from '../../codec/keys/keyring/keyring-file.ts';
import { runCommand } from '../support/command.ts';
import { TestCommandIo } from '../support/command-io.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'keygen-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

describe('codec-server keygen', () => {
  it('makes the keyring, then adds keys that write while older ones read', async () => {
    const path = join(cwd, '.codec-server/keyring.json');
    expect(await runCommand(keygen, ['--name', 'one'], { cwd })).toEqual({
      code: 0,
      stdout: `Added the key one to ${path}. It writes from now on.\n`,
      stderr: '',
    });
    expect((await runCommand(keygen, ['--name', 'two'], { cwd })).stdout).toContain('on; 1 older key still reads.');
    expect((await runCommand(keygen, [], { cwd })).stdout).toContain('on; 2 older keys still read.');
    const { current, keys } = readKeyringFile(path);
    expect(keys.slice(0, 2).map((key) => key.name)).toEqual(['one', 'two']);
    expect(current).toBe(keys[2]?.name);
    expect(current).toMatch(/^\d{4}-\d\d-\d\d-[0-9a-f]{6}$/);
  });

  it('adds a key that only reads, and makes it write once it is everywhere', async () => {
    const path = join(cwd, 'k.json');
    const run = (...argv: string[]) => runCommand(keygen, ['--keyring', 'k.json', ...argv], { cwd });
    await run('--name', 'one');
    expect((await run('--name', 'two', '--read-only')).stdout).toBe(
      `Added the key two to ${path}. It only reads; one still writes.\n`,
    );
    const before = readKeyringFile(path);
    expect(before.current).toBe('one');
    expect((await run('--make-current', 'two')).stdout).toBe(
      `The key two of ${path} writes from now on; every key still reads.\n`,
    );
    expect(readKeyringFile(path)).toEqual({ ...before, current: 'two' });
    expect(await run('--make-current', 'three')).toEqual({
      code: 1,
      stdout: '',
      stderr: `codec-server keygen: The keyring ${path} was not changed: it has no key named "three"; its keys are "one", "two".\n`,
    });
    expect(readKeyringFile(path).current).toBe('two');
  });

  it('never prints a key', async () => {
    const outputs = [
      await runCommand(keygen, ['--keyring', 'k.json'], { cwd }),
      await runCommand(keygen, ['--keyring', 'k.json'], { cwd }),
    ];
    for (const { key } of readKeyringFile(join(cwd, 'k.json')).keys)
      for (const form of ['base64', 'hex'] as const)
        expect(JSON.stringify(outputs)).not.toContain(Buffer.from(key).toString(form).slice(0, 8));
  });

  it('says in one sentence why it cannot', async () => {
    await runCommand(keygen, ['--keyring', 'k.json', '--name', 'one'], { cwd });
    const path = join(cwd, 'k.json');
    expect(await runCommand(keygen, ['--keyring', 'k.json', '--name', 'one'], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr: `codec-server keygen: The keyring ${path} was not changed: it already has a key named "one".\n`,
    });
    chmodSync(path, 0o644);
    expect((await runCommand(keygen, ['--keyring', 'k.json'], { cwd })).stderr).toContain(`run "chmod 600 ${path}"`);
    expect(await runCommand(keygen, ['--keyring', 'new.json', '--name', ''], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the name of the key must be a text that is not empty'),
    });
  });

  it.each([
    ['--size', '128'],
    ['name'],
    ['--make-current', 'one', '--read-only'],
    ['--make-current', 'one', '--name', 'two'],
  ])('answers wrong usage with 2: %s', async (...argv) => {
    const { code, stderr } = await runCommand(keygen, argv, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^codec-server keygen: .*See --help\.\n$/);
  });

  it('explains itself', async () => {
    const { code, stdout } = await runCommand(keygen, ['--help'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: codec-server keygen');
  });
});

describe('keygen --document', () => {
  const run = async (stdin: string, ...argv: string[]) => {
    const io = new TestCommandIo({ stdin });
    return { code: await keygen(['--document', ...argv], io), out: io.out, err: io.err };
  };

  it('makes, extends and turns a keyring in a pipe, and writes keys to standard output alone', async () => {
    const made = await run('', '--name', 'first');
    expect(parseKeyring(made.out)).toMatchObject({ current: 'first', keys: [{ name: 'first' }] });
    const added = await run(made.out, '--name', 'second', '--read-only');
    expect(parseKeyring(added.out)).toMatchObject({ current: 'first', keys: [{ name: 'first' }, { name: 'second' }] });
    const turned = await run(added.out, '--make-current', 'second');
    expect(parseKeyring(turned.out)).toEqual({ ...parseKeyring(added.out), current: 'second' });
    expect(turned.err).toBe('second writes; first only reads.\n');
    for (const { err } of [made, added, turned])
      for (const { key } of parseKeyring(turned.out).keys)
        expect(err).not.toContain(Buffer.from(key).toString('base64'));
  });

  it.each([
    ['put the keyring document here', []],
    ['', ['--make-current', 'first']],
    ['{"namespace":"n"}', []],
  ])('writes nothing where it cannot: %j', async (stdin, argv) => {
    expect(await run(stdin, ...argv)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^codec-server keygen: /),
    });
  });
});
