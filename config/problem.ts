/** Something wrong with a configuration: where it stands, what is wrong, and how to put it right. */
export interface Problem {
  /** The field, as one would write it in the file: `keys.kms[0].write`. */
  readonly path: string;
  /** One sentence for a person, with the fix. */
  readonly message: string;
}

/** Problems as text, one a line, each with its place. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `  ${path}: ${message}`).join('\n');
}
