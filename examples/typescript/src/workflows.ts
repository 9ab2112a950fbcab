import { condition, defineQuery, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import type * as activities from './activities.ts';

/** The input of {@link order}. */
export interface Order {
  readonly customer: string;
  readonly card: string;
  readonly cents: number;
}

/** What became of an order. */
export interface Shipment {
  readonly receipt: string;
  readonly address: string;
}

export const ship = defineSignal<[address: string]>('ship');
export const customer = defineQuery<string>('customer');

const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

/** Charges the card, then waits to be told where to ship. */
export async function order(input: Order): Promise<Shipment> {
  let address: string | undefined;
  setHandler(customer, () => input.customer);
  setHandler(ship, (to) => {
    address = to;
  });
  const receipt = await charge(input.card, input.cents);
  await condition(() => address !== undefined);
  return { receipt, address: address ?? '' };
}
