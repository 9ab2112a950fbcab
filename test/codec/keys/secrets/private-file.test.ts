import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { makePrivateFile, readPrivateFile } from '../../../../codec/keys/secrets/private-file.ts';

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
  const inAFile = join(open, 'keys.json');
  expect(() => makePrivateFile(inAFile, 'file of session keys', 'x')).toThrow(
    `The file of session keys ${inAFile} cannot be written (ENOTDIR).`,
  );
});
