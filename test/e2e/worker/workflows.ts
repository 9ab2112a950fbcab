/** Workflows that between them have every kind of payload a Web UI or a CLI shows. */
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type * as activities from './activities.ts';

/** The input of {@link order}. */
export interface Order {
  readonly customer: string;
  readonly card: string;
  /** Stay open until the signal `ship` arrives. */
  readonly waitForShipping?: boolean;
}

/** The signal's payload. */
export interface Shipping {
  readonly address: string;
}

export const ship = defineSignal<[Shipping]>('ship');
export const customerOf = defineQuery<{ customer: string; asked: string }, [string]>('customerOf');
export const rename = defineUpdate<{ before: string; after: string }, [string]>('rename');

const options = { startToCloseTimeout: '1 minute' } as const;

/** Charges a card and, where it is asked to, waits for an address: input, result, activity, signal, query, update. */
export async function order({ customer, card, waitForShipping = false }: Order): Promise<object> {
  let name = customer;
  let address = 'none';
  setHandler(ship, (shipping) => {
    address = shipping.address;
  });
  setHandler(customerOf, (asked) => ({ customer: name, asked }));
  setHandler(rename, (after) => {
    const before = name;
    name = after;
    return { before, after };
  });
  setCurrentDetails(`details: waiting with ${card}`);
  const { charge } = proxyActivities<typeof activities>({ ...options, summary: `summary: charging ${card}` });
  const { receipt } = await charge(card, 4200);
  if (waitForShipping) await condition(() => address !== 'none');
  return { receipt, shippedTo: address };
}

/** Fails with what the activity failed with. */
export async function refusedOrder(card: string): Promise<void> {
  const { refuse } = proxyActivities<typeof activities>(options);
  await refuse(card);
}

/** Charges many cards at once: a history of many pages. */
export async function bulkOrder(count: number): Promise<number> {
  const { charge } = proxyActivities<typeof activities>(options);
  const receipts = await Promise.all(Array.from({ length: count }, (_, i) => charge(`bulk-card-${i}`, i)));
  return receipts.length;
}

/** What peers in every language tell each other. */
export interface RelayMessage {
  readonly from: string;
  readonly secret: string;
}

/** Understands a message of a client in whatever language, and answers. Each language's worker has one. */
export async function relay(message: RelayMessage): Promise<object> {
  const { stamp } = proxyActivities<typeof activities>(options);
  return { by: 'TypeScript', received: message.from, stamped: await stamp(message.secret) };
}
