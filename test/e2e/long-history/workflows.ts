/** A workflow of many activities: first side by side, in batches, then one after the other. */
import { proxyActivities } from '@temporalio/workflow';

const { length } = proxyActivities<{ length(text: string): Promise<number> }>({ startToCloseTimeout: '1 minute' });

/** @returns the sum of what the activities answered, so that none is left unread */
export async function many(batches: number, size: number, serial: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < batches; i++) {
    const answers = await Promise.all(Array.from({ length: size }, (_, n) => length(`${i}.${n}`)));
    for (const answer of answers) sum += answer;
  }
  for (let i = 0; i < serial; i++) sum += await length(`${i}`);
  return sum;
}
