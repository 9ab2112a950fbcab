/** Pages, messages, comments and tests in plain American English: the words that a translation leaves behind stay out. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

/** A line of comment, in which backquotes hold names. */
const COMMENT = /^\s*(?:\*|\/\*\*|\/\/|#) /;

/** Each with what to write instead; CONTRIBUTING.md has the list for people. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /(?<![Tt]here )\b(?:is|are|was) no (?!(?:longer|more|such|one|reason|sign|point|fault|use|need|matter|way|other|less|better|worse|help)\b)[A-Za-z]/,
    'is not a …',
  ],
  [/\bNot well\b/, 'Problems found'],
  [/\b(?:is|are|be) answered (?:with )?\d{3}\b/, 'gets a 401'],
  [/\bhardly meant\b/, 'probably not meant'],
  [/\bbelongs? into\b/, 'belongs in'],
  [/\b[Ll]eave (?:\S+ ){0,2}away\b/, 'leave out'],
  [/\bto the letter\b/, 'exactly'],
  [/\b(?:reads|read|writes|write) on (?:for|with|by|while|through)\b/, 'still reads'],
  [/\bat the most\b(?! talk)/, 'at most'],
  [/\b(?:synchron|recogn|organ|normal|serial|author|custom|minim|maxim)is(?:e|ed|es|ing|ation)\b/, '-ize, -ization'],
  [
    /\b(?:behaviour|colour|favour|honour|neighbour|licence|centre|dialogue|catalogue|(?<!\.)cancelled|labelled|travelling)\b/,
    'American spelling',
  ],
];
/** What is recorded, generated, or about these very words. */
const LEFT_OUT =
  /^(?:CONTRIBUTING\.md|docs\/compatibility\.md|docs\/workers\.md|bench\/results\/|test\/e2e\/languages\/|test\/docs\/english|.*(?:corpus|recordings|vectors)\/)/;

/** The lines of a file in which words are: of a page all but its code, of a program all, since messages are in its code. */
function lines(file: string): string[] {
  const isPage = file.endsWith('.md');
  let isCode = false;
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      if (isPage && line.trimStart().startsWith('```')) isCode = !isCode;
      if (isCode) return '';
      return isPage || COMMENT.test(line) ? line.replace(/`[^`]*`/g, '`…`') : line;
    });
}

it('has no words of a translation in its pages, messages, comments and tests', () => {
  const files = execFileSync('git', ['ls-files', '*.md', '*.ts', '*.go', '*.java', '*.py', '*.cs'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '' && !LEFT_OUT.test(file));
  expect(files.length).toBeGreaterThan(400);
  const found = files.flatMap((file) =>
    lines(file).flatMap((line, index) =>
      WORDS.filter(([word]) => word.test(line)).map(
        ([, instead]) => `${file}:${index + 1}: ${instead}: ${line.trim()}`,
      ),
    ),
  );
  expect(found).toEqual([]);
});
