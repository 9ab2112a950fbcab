/** A library's README, followed word by word in an empty project beside a clone. */
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { retried } from '../../support/retried.ts';
import { artifactRoot, projectRoot } from '../support/paths.ts';
import { runSdkProgramOrThrow } from '../support/sdk-programs.ts';
import type { Readme } from './languages.ts';

/** A block of a page: what it holds, and the file that the words before it name for it, if any. */
interface Block {
  readonly kind: string;
  readonly text: string;
  readonly file: string | undefined;
}

/** Commands that the reader runs elsewhere and keeps running: the suite has the server already. */
const ELSEWHERE = /^temporal server start-dev/;

/** Commands that fetch packages, which a reader types again when the network fails. */
const FETCHES = /^(go mod tidy|\S*pip install|mvn )/;

/** The fenced blocks of a page. */
function blocksOf(page: string): Block[] {
  const found = page.matchAll(/((?:^(?!```)[^\n]*\n)*)^```(\w+)\n(.*?)^```$/gms);
  return [...found].map(([, before = '', kind = '', text = '']) => {
    const named = /`([\w.]+\.\w+)`[^`]*:\s*$/.exec(before)?.[1];
    return { kind, text, file: named };
  });
}

/**
 * Lays out a clone (the working tree, and the keyring of its first start) and beside it an empty folder, in which every
 * file of the page is written and every command run, as far as the section about an empty project goes.
 *
 * @param address of a Temporal server
 * @returns what the last command printed
 */
export async function followReadme({ page, until, env }: Readme, keyring: string, address: string): Promise<string> {
  mkdirSync(artifactRoot, { recursive: true });
  const root = mkdtempSync(join(artifactRoot, 'readme-'));
  const clone = join(root, 'temporal-codec-server');
  mkdirSync(join(clone, '.codec-server'), { recursive: true });
  writeFileSync(join(clone, '.codec-server/keyring.json'), readFileSync(keyring));
  symlinkSync(join(projectRoot, 'workers'), join(clone, 'workers'));
  const project = join(root, 'orders');
  mkdirSync(project);
  const words = readFileSync(join(projectRoot, page), 'utf8');
  const end = words.indexOf(`\n## ${until}`);
  if (end < 0) throw new Error(`${page} has no heading "${until}"`);
  let printed = '';
  for (const { kind, text, file } of blocksOf(words.slice(0, end))) {
    if (file !== undefined) writeFileSync(join(project, file), text);
    if (kind !== 'sh') continue;
    for (const line of text.replaceAll('\\\n', '').split('\n')) {
      const command = line.replace(/\s+#.*$/, '').trim();
      if (command === '' || ELSEWHERE.test(command)) continue;
      const run = () =>
        runSdkProgramOrThrow('bash', ['-c', command], {
          cwd: project,
          env: { ...env, TEMPORAL_ADDRESS: address },
          timeout: 600_000,
        });
      printed = await (FETCHES.test(command) ? retried(run) : run());
    }
  }
  return printed;
}
