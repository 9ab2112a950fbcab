/** The commands that a page tells its readers to run. */

/**
 * Every command of a Markdown page: the lines of its `sh` blocks without comments, and the `npm` and
 * `npx` commands in the first column of its tables.
 */
export function commandsOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => block.split('\n'));
  const cells = [...markdown.matchAll(/^\| *(.+?) *\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`((?:npm|npx) [^`]+)`/g)].map(([, command = '']) => command),
  );
  return [...blocks, ...cells].map((line) => line.replace(/\s+#.*$/, '').trim()).filter((line) => line !== '');
}
