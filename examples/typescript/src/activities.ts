import { ApplicationFailure } from '@temporalio/activity';

/** Charges a card. What it takes and returns, and what it fails with, is encrypted. */
export async function charge(card: string, cents: number): Promise<string> {
  if (cents > 100_000) throw ApplicationFailure.nonRetryable(`card ${card} was refused for ${cents} cents`);
  return `receipt for ${cents} cents on card ${card}`;
}
