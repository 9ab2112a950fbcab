/** What stands between a tree and its release: everything at once, each with what to do about it. */

/** What is looked at. */
export interface ReleaseState {
  /** Lines of `git status --porcelain`. */
  readonly changes: readonly string[];
  /** The version of the server's package, which is that of the release. */
  readonly version: string;
  /** Other files that name the version, and what they say. */
  readonly otherVersions: Readonly<Record<string, string>>;
  /** Text of CHANGELOG.md. */
  readonly changelog: string;
  /** Whether the commit has, or another has, the tag of the version. */
  readonly tag: 'none' | 'here' | 'elsewhere';
  /** How `test/releases/<version>` compares with what this tree deploys. */
  readonly frozen: 'missing' | 'same' | 'different';
}

/** Text of a version's section of a changelog in the form of Keep a Changelog; undefined where it has none. */
export function changesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => /^\[?([^\]\s]+)/.exec(text)?.[1] === version);
  return section?.slice(section.indexOf('\n') + 1).trim();
}

/**
 * The versions of packages that pages and their walk name as files, by the line where each stands.
 *
 * @param found what `git grep -n` printed: `README.md:84:… temporal-codec-server-worker-1.2.3.tgz`
 */
export function packagesNamedIn(found: string): Record<string, string> {
  return Object.fromEntries(
    [...found.matchAll(/^([^:]+:\d+):.*?temporal-codec-server(?:-worker)?-(\d+\.\d+\.\d+)\.tgz/gm)].map(
      ([, place = '', version = '']) => [place, version],
    ),
  );
}

/** Sentences, in the order in which they are best mended; empty where the tree can be released. */
export function problemsOf({ changes, version, otherVersions, changelog, tag, frozen }: ReleaseState): string[] {
  const problems: string[] = [];
  if (!/^\d+\.\d+\.\d+$/.test(version))
    problems.push(`package.json: ${version} is not a version such as 1.2.3: set one with npm version.`);
  for (const [file, other] of Object.entries(otherVersions))
    if (other !== version) problems.push(`${file}: says ${other}, and package.json says ${version}: make them one.`);
  if (!changesOf(changelog, version))
    problems.push(`CHANGELOG.md: has no section ## ${version} that says what changed: rename ## Unreleased to it.`);
  else if (changesOf(changelog, 'Unreleased'))
    problems.push(`CHANGELOG.md: has changes under ## Unreleased, which are in this tree: move them to ## ${version}.`);
  if (tag === 'elsewhere')
    problems.push(`v${version} is the tag of another commit: a version is released once, so take the next one.`);
  if (frozen === 'missing')
    problems.push(
      `test/releases/${version} was not there, and holds now what this version deploys and writes: commit it.`,
    );
  if (frozen === 'different')
    problems.push(
      `test/releases/${version} holds something else than this tree deploys: take the next version; or, where ${version} was never published, run "npx node test/releases/freeze.ts ${version}" and commit.`,
    );
  if (changes.length > 0)
    problems.push(
      `${changes[0]?.slice(3)}${changes.length > 1 ? ` and ${changes.length - 1} more` : ''} differ from the commit: commit all, so that anybody can make the same packages from it.`,
    );
  return problems;
}
