/**
 * Which blocks of the code under test have run: V8's precise coverage, taken in the running process.
 * A fuzzer that sees what an input reaches keeps the inputs that reach something new.
 */
import { Session } from 'node:inspector/promises';

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}

/** Blocks by name, and whether they have ever run. */
export interface CoverageFigures {
  readonly covered: number;
  readonly total: number;
}

export class Coverage {
  readonly #session = new Session();
  readonly #isOfInterest: (url: string) => boolean;
  readonly #blocks = new Map<string, boolean>();

  /** @param isOfInterest whether a script, by its URL, is code under test */
  constructor(isOfInterest: (url: string) => boolean) {
    this.#isOfInterest = isOfInterest;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The blocks that have run since the last call and are not {@link learn}ed yet. */
  async take(): Promise<string[]> {
    const { result } = (await this.#session.post('Profiler.takePreciseCoverage')) as { result: ScriptCoverage[] };
    const fresh: string[] = [];
    for (const script of result) {
      if (!this.#isOfInterest(script.url)) continue;
      for (const { ranges } of script.functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          const block = `${script.url}:${startOffset}-${endOffset}`;
          const known = this.#blocks.get(block);
          if (known === undefined) this.#blocks.set(block, false);
          if (count > 0 && known !== true) fresh.push(block);
        }
      }
    }
    return fresh;
  }

  /** Takes blocks for known from now on. */
  learn(blocks: readonly string[]): void {
    for (const block of blocks) this.#blocks.set(block, true);
  }

  figures(): CoverageFigures {
    let covered = 0;
    for (const ran of this.#blocks.values()) if (ran) covered++;
    return { covered, total: this.#blocks.size };
  }

  stop(): void {
    this.#session.disconnect();
  }
}
