/** Says in one line that Node.js is too old, where it would otherwise be a stack trace about some module. */

/** As `engines` in package.json has it: Zstandard in `node:zlib`. */
const OLDEST = [22, 15] as const;

/** @param version such as `20.20.2` @returns what to do; undefined when the version will do */
export function nodeTooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  const oldest = OLDEST.join('.');
  return `codec-server needs Node.js ${oldest} or newer, and this is ${version}: install a newer one (https://nodejs.org), or use npx -p node@24 codec-server.`;
}
