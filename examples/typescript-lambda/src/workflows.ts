import { proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

export async function order(card: string, cents: number): Promise<string> {
  return await charge(card, cents);
}
