/** What a language's run has shown, kept beside the suite: the page is rendered from it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artifactRoot } from '../support/paths.ts';
import type { Language } from './languages.ts';

/** One cell of the table. */
export interface Cell {
  readonly row: string;
  readonly passed: boolean;
  /** A figure or a word, such as `1,102 calls`. */
  readonly note: string;
}

/** A language's column. */
export interface LanguageResults {
  readonly language: string;
  readonly sdk: string;
  /** Day of the run, such as `2026-11-27`. */
  readonly date: string;
  readonly cells: readonly Cell[];
}

/** Collects the cells of a run. */
export class Results {
  readonly #language: Language;
  readonly #cells: Cell[] = [];

  constructor(language: Language) {
    this.#language = language;
  }

  /** Runs a row; what it returns is the cell's note, and an error makes it a failed one. */
  async row(name: string, run: () => Promise<string>): Promise<void> {
    let note = '';
    let passed = false;
    try {
      note = await run();
      passed = true;
    } finally {
      this.#cells.push({ row: name, passed, note });
    }
  }

  /** Writes the column where `npm run docs:workers -- --take` finds it. */
  write(): void {
    const { name: language, sdk, file } = this.#language;
    const date = new Date().toISOString().slice(0, 10);
    const results: LanguageResults = { language, sdk, date, cells: this.#cells };
    const folder = join(artifactRoot, 'languages');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${file}.json`), `${JSON.stringify(results, null, 2)}\n`);
  }
}
