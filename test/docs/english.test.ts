/** Pages and comments in plain American English: the words that a translation leaves behind stay out. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

/** Each with what to write instead; CONTRIBUTING.md has the list for people. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /(?<![Tt]here )\b(?:is|are|was) no (?:valid|token|payload|key|file|number|address|JSON|ARN|Region|message)\b/,
    'is not a …',
  ],
  [/\b(?:is|are|be) answered (?:with )?\d{3}\b/, 'gets a 401'],
  [/\bhardly meant\b/, 'probably not meant'],
  [/\bbelongs? into\b/, 'belongs in'],
  [/\bleave (?:it |them )?away\b/, 'leave out'],
  [/\b(?:reads|read|writes|write) on (?:for|with|by)\b/, 'still reads'],
  [/\bat the most\b(?! talk)/, 'at most'],
  [/\b(?:synchron|recogn|organ|normal|serial|author|custom|minim|maxim)is(?:e|ed|es|ing|ation)\b/, '-ize, -ization'],
  [
    /\b(?:behaviour|colour|favour|honour|neighbour|licence|centre|cancelled|labelled|travelling)\b/,
    'American spelling',
  ],
];
/** What is recorded, generated, or about these very words. */
const LEFT_OUT =
  /^(?:CONTRIBUTING\.md|docs\/compatibility\.md|docs\/workers\.md|bench\/results\/|test\/e2e\/languages\/|test\/docs\/english|.*(?:corpus|recordings|vectors)\/)/;

/** The lines of prose of a file: of a page without its code, of a program its comments. */
function prose(file: string): string[] {
  let isCode = false;
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      if (!file.endsWith('.md')) return /^\s*(?:\*|\/\*\*|\/\/|#) /.test(line) ? line : '';
      if (line.trimStart().startsWith('```')) isCode = !isCode;
      return isCode ? '' : line;
    })
    .map((line) => line.replace(/`[^`]*`/g, '`…`'));
}

it('has no words of a translation in its pages and comments', () => {
  const files = execFileSync('git', ['ls-files', '*.md', '*.ts', '*.go', '*.java', '*.py', '*.cs'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '' && !LEFT_OUT.test(file));
  expect(files.length).toBeGreaterThan(400);
  const found = files.flatMap((file) =>
    prose(file).flatMap((line, index) =>
      WORDS.filter(([word]) => word.test(line)).map(
        ([, instead]) => `${file}:${index + 1}: ${instead}: ${line.trim()}`,
      ),
    ),
  );
  expect(found).toEqual([]);
});
