import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Checkpoint } from '../../../cli/cluster/checkpoint.ts';

const KEY = 'codec-server/old';
const RUN = { run: 'run-c', closed: 1_790_000_100_000, events: 20 };
const NEEDS = { keys: { [KEY]: { payloads: 15, only: 15, newest: 1_790_000_000_000 } }, unclear: {}, payloads: 15 };
const NONE = { keys: {}, unclear: {}, payloads: 0 };

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
const path = join(folder, 'state');
const opened = (namespace = 'orders-dev.a1b2c', address = 'localhost:7233') => new Checkpoint(path, namespace, address);
const text = () => readFileSync(path, 'utf8');
const head = () => text().split('\n')[0] ?? '';

beforeEach(() => {
  rmSync(path, { force: true, recursive: true });
  const checkpoint = opened();
  checkpoint.put(RUN, NEEDS);
  checkpoint.flush();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what keys-in-use keeps of closed workflows', () => {
  it('is there the next time, and readable by its owner alone', () => {
    const checkpoint = opened();
    expect(checkpoint.get(RUN)).toEqual(NEEDS);
    expect(checkpoint.used).toBe(1);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each<[string, () => void]>([
    ['cut off in the middle of a line', () => truncateSync(path, statSync(path).size - 40)],
    ['changed in one letter', () => writeFileSync(path, text().replace('"payloads":15', '"payloads":14'))],
    [
      'given lines that were made up',
      () => {
        const made = JSON.stringify({ ...RUN, needs: NONE });
        writeFileSync(path, `${head()}\n${made}\nAAAAAAAAAAAAAAAAAAAAAA ${made}\n`);
      },
    ],
    [
      'given the lines of another namespace',
      () => {
        const ours = text();
        rmSync(path);
        const other = opened('other');
        other.put(RUN, NONE);
        other.flush();
        const theirs = text().split('\n').slice(1);
        writeFileSync(path, [ours.split('\n')[0], ...theirs].join('\n'));
      },
    ],
  ])('is read again where the file is %s', (_, change) => {
    change();
    expect(opened().get(RUN)).toBeUndefined();
  });

  it('is believed where the line is whole, whoever wrote it as the owner: a sum does not sign', () => {
    const made = JSON.stringify({ ...RUN, needs: NONE });
    const sum = createHash('sha256').update(`${head()}${made}`).digest('base64url').slice(0, 22);
    writeFileSync(path, `${head()}\n${sum} ${made}\n`);
    expect(opened().get(RUN)).toEqual(NONE);
    chmodSync(path, 0o660);
    expect(() => opened()).toThrow(/can be read or changed by others/);
  });

  it('goes on behind a line that was cut off', () => {
    truncateSync(path, statSync(path).size - 40);
    const next = opened();
    next.put(RUN, NEEDS);
    next.flush();
    expect(opened().get(RUN)).toEqual(NEEDS);
  });

  it('is not of a workflow that now has other events or closed at another time', () => {
    expect(opened().get({ ...RUN, events: 21 })).toBeUndefined();
    expect(opened().get({ ...RUN, closed: RUN.closed + 1 })).toBeUndefined();
  });

  it.each<[string, () => void, RegExp]>([
    [
      'of another release',
      () => writeFileSync(path, text().replace(/"program":"[^"]*"/, '"program":"0.0.1"')),
      /version/,
    ],
    ['writable by others', () => chmodSync(path, 0o666), /can be read or changed by others \(mode 666\)/],
    ['empty', () => truncateSync(path), /is not a state file of codec-server/],
    ['something else', () => writeFileSync(path, '{"version":1}\n'), /is not a state file of codec-server/],
    ['huge', () => truncateSync(path, 500_000_000), /is too large: 500000000 bytes/],
    [
      'a folder',
      () => {
        rmSync(path);
        mkdirSync(path);
      },
      /is not a file/,
    ],
    [
      'a link to what others can write',
      () => {
        const theirs = join(folder, 'theirs');
        writeFileSync(theirs, text());
        chmodSync(theirs, 0o644);
        rmSync(path);
        symlinkSync(theirs, path);
      },
      /can be read or changed by others/,
    ],
  ])('is refused when the file is %s', (_, change, sentence) => {
    change();
    expect(opened).toThrow(
      expect.objectContaining({ name: 'CheckpointError', message: expect.stringMatching(sentence) }),
    );
  });

  it('is of one namespace of one server', () => {
    expect(() => opened('other')).toThrow(/of another namespace, server or version of this program/);
    expect(() => opened(undefined, 'other:7233')).toThrow(/of another namespace, server or version of this program/);
  });

  it('is not written to a file that was deleted meanwhile', () => {
    const checkpoint = opened();
    rmSync(path);
    checkpoint.put(RUN, NEEDS);
    expect(() => checkpoint.flush()).toThrow(/cannot be written \(ENOENT\)/);
  });
});
