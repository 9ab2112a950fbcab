/** The load generator as its parent sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Answer, Job, LoadResult } from './job.ts';

export class LoadGenerator {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('./generator.ts', import.meta.url), { serialization: 'advanced' });
  }

  /** @throws Error when an answer was wrong or a connection failed: there is no figure then */
  run(job: Job): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the load generator ended'));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer: Answer) => {
        this.#child.removeListener('exit', ended);
        if ('ok' in answer) resolve(answer.ok);
        else reject(new Error(answer.failed));
      });
      this.#child.send(job);
    });
  }

  stop(): void {
    this.#child.kill();
  }
}
