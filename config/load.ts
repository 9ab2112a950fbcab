/** Loads a configuration file: a TypeScript or JavaScript module whose default export is the configuration. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** A configuration file cannot be loaded; the message is one sentence with the file in it. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
}

/**
 * The default export of a configuration file, unchecked.
 *
 * @param path absolute
 * @throws ConfigFileError when there is no such file, it does not load, or has no default export
 */
export async function loadConfigFile(path: string): Promise<unknown> {
  if (!existsSync(path)) throw new ConfigFileError(`There is no configuration file ${path}.`);
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (cause) {
    const { message, stack } = cause as Error;
    const reason = message?.split('\n')[0]?.trim() || 'it throws';
    // where its text is at fault, the first line of the stack is the place, such as /app/config.ts:12
    const line = stack?.startsWith(`${path}:`) ? /:(\d+)/.exec(stack.slice(path.length))?.[1] : undefined;
    const place = line === undefined ? '' : ` (line ${line})`;
    throw new ConfigFileError(`The configuration file ${path} does not load: ${reason}${place}`, { cause });
  }
  if (module.default === undefined)
    throw new ConfigFileError(
      `The configuration file ${path} has no default export: end it with "export default config;".`,
    );
  return module.default;
}
