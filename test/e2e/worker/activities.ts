/** What the workflows of the checks call. Every argument and result is something a company would not want read. */
import { ApplicationFailure } from '@temporalio/activity';

/** Charges a card. */
export async function charge(card: string, cents: number): Promise<{ receipt: string }> {
  return { receipt: `receipt for ${cents} cents on ${card}` };
}

/** Always fails, with details that are as secret as its message. */
export async function refuse(card: string): Promise<never> {
  throw ApplicationFailure.create({
    message: `card ${card} was refused`,
    type: 'CardRefused',
    nonRetryable: true,
    details: [{ card, limit: 'secret-limit' }],
  });
}

/** Says that a secret was read. */
export async function stamp(secret: string): Promise<string> {
  return `${secret} seen by TypeScript`;
}
