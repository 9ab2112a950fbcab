/** What `npm run release` asks of a commit before it makes packages of it. */
import { describe, expect, it } from '@jest/globals';
import { changesOf, packagesNamedIn, problemsOf, type ReleaseState } from '../../scripts/release/readiness.ts';

const READY: ReleaseState = {
  changes: [],
  version: '1.3.0',
  otherVersions: { 'codec/package.json': '1.3.0' },
  changelog: '# Changelog\n\n## Unreleased\n\n## 1.3.0 - 2027-01-31\n\n### Added\n\n- a thing\n\n## 1.2.0\n\n- older\n',
  tag: 'none',
  frozen: 'same',
};

describe('a release', () => {
  it('is made of a commit that says its version and its changes, and has frozen what it deploys', () => {
    expect(problemsOf(READY)).toEqual([]);
    expect(problemsOf({ ...READY, tag: 'here' })).toEqual([]);
    expect(changesOf(READY.changelog, '1.3.0')).toBe('### Added\n\n- a thing');
    expect(changesOf(READY.changelog, '1.3')).toBeUndefined();
  });

  it('finds the pages that name the file of another version', () => {
    const page = 'README.md:84:npm pack --workspace codec   # writes temporal-codec-server-worker-1.2.0.tgz\n';
    const otherVersions = packagesNamedIn(`${page}docs/install.md:18:npm install ../temporal-codec-server-1.3.0.tgz\n`);
    expect(problemsOf({ ...READY, otherVersions })).toEqual([expect.stringMatching(/^README\.md:84: says 1\.2\.0/)]);
  });

  it.each<[string, Partial<ReleaseState>, RegExp]>([
    [
      'has changes that no commit holds',
      { changes: [' M lib/keys.ts'] },
      /^lib\/keys\.ts differ from the commit: commit all/,
    ],
    [
      'has no version',
      { version: '1.3', otherVersions: {}, changelog: READY.changelog.replace('1.3.0', '1.3') },
      /^package\.json: 1\.3 is not a version/,
    ],
    [
      'has packages of two versions',
      { otherVersions: { 'codec/package.json': '1.2.0' } },
      /^codec\/package\.json: says 1\.2\.0/,
    ],
    ['has a changelog without it', { changelog: '## 1.2.0\n\n- older\n' }, /has no section ## 1\.3\.0/],
    [
      'has changes under no version yet',
      { changelog: '## Unreleased\n\n- new\n' },
      /has no section ## 1\.3\.0 .* rename ## Unreleased to it/,
    ],
    [
      'has a section that says nothing',
      { changelog: '## 1.3.0\n\n## 1.2.0\n\n- older\n' },
      /has no section ## 1\.3\.0/,
    ],
    [
      'has changes that belong to no version',
      { changelog: `## Unreleased\n\n- new\n\n${READY.changelog}` },
      /under ## Unreleased/,
    ],
    ['was released from another commit', { tag: 'elsewhere' }, /tag of another commit/],
    ['has just frozen what it deploys', { frozen: 'missing' }, /was not there, and holds now .*: commit it/],
    [
      'deploys something else than its version did',
      { frozen: 'different' },
      /take the next version; .* "npx node test\/releases\/freeze\.ts 1\.3\.0"/,
    ],
  ])('is refused where the tree %s, with what to do', (_, change, sentence) => {
    const problems = problemsOf({ ...READY, ...change });
    expect(problems).toEqual([expect.stringMatching(sentence)]);
  });
});
