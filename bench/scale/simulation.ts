/**
 * What Lambda does with a burst of requests: one instance answers one request at a time, a request
 * that finds none idle waits for a new one, and a new one has to initialize, fetch token keys and ask
 * KMS before it is of use. A model, fed with measured times.
 */

/** Where a duration comes from: a measured sample, drawn at random. Milliseconds. */
export type Draw = () => number;

export interface Measured {
  /** A fresh process until it can take a request. */
  readonly init: Draw;
  /** The first request on an instance, with its fetch of token keys and its call to KMS. */
  readonly firstRequest: Draw;
  /** A request under a data key that the instance has not seen yet: one call to KMS. */
  readonly newKey: Draw;
  /** A request when everything is cached. */
  readonly warm: Draw;
}

export interface Assumed {
  /** Lambda's own part of a cold start: placing the instance, starting the virtual machine, loading the code. */
  readonly placementMs: number;
  /** Calls to KMS that an instance makes as it starts, to have the connection when a request comes. */
  readonly kmsCallsPerStart: number;
  /** Client to gateway to function and back, without the function. */
  readonly networkMs: number;
}

export interface Burst {
  /** When each request is sent, in milliseconds from the start, ascending. */
  readonly arrivals: readonly number[];
  /** Which of the page's data keys each request needs. */
  readonly dataKeyOf: (request: number) => number;
  /** Instances that are initialized before the burst, their token keys fetched, their key cache empty. */
  readonly provisioned: number;
  /** Instances that an earlier burst left behind. */
  readonly left?: readonly LeftInstance[];
}

/** What an instance knows after a burst: the data keys it has asked for. */
export interface LeftInstance {
  readonly keys: ReadonlySet<number>;
}

export interface Outcome {
  /** Instances that answered at least one request. */
  readonly instances: number;
  readonly coldStarts: number;
  readonly kmsCalls: number;
  readonly jwksFetches: number;
  /** From the first request sent to the last answer received, in milliseconds. */
  readonly readableMs: number;
  /** Time to answer of each request, in milliseconds. */
  readonly latencies: readonly number[];
  /** Every instance, for the burst after this one. */
  readonly left: readonly LeftInstance[];
}

interface Instance {
  idleAt: number;
  readonly keys: Set<number>;
  answered: number;
  /** Started for a request of this burst. */
  readonly cold: boolean;
}

/**
 * Plays a burst through.
 *
 * A request is bound to its instance when it arrives: one that starts a new instance waits for it,
 * even if another becomes idle meanwhile. Real Lambda sometimes does better.
 */
export function simulate(burst: Burst, measured: Measured, assumed: Assumed): Outcome {
  const instances: Instance[] = (burst.left ?? []).map(({ keys }) => ({
    ...newInstance(0, false),
    keys: new Set(keys),
  }));
  while (instances.length < burst.provisioned) instances.push(newInstance(0, false));
  const latencies: number[] = [];
  let kmsCalls = 0;
  let jwksFetches = 0;
  let readableMs = 0;
  for (const [request, sent] of burst.arrivals.entries()) {
    const arrival = sent + assumed.networkMs / 2;
    let instance = mostRecentlyIdle(instances, arrival);
    if (instance === undefined) {
      instance = newInstance(arrival + assumed.placementMs + measured.init(), true);
      jwksFetches++;
      kmsCalls += assumed.kmsCallsPerStart;
      instances.push(instance);
    }
    const key = burst.dataKeyOf(request);
    const work = duration(instance, key, measured);
    if (!instance.keys.has(key)) kmsCalls++;
    instance.keys.add(key);
    const done = Math.max(arrival, instance.idleAt) + work;
    instance.idleAt = done;
    instance.answered++;
    const answered = done + assumed.networkMs / 2;
    latencies.push(answered - sent);
    readableMs = Math.max(readableMs, answered - (burst.arrivals[0] ?? 0));
  }
  const used = instances.filter(({ answered }) => answered > 0);
  return {
    instances: used.length,
    coldStarts: used.filter(({ cold }) => cold).length,
    kmsCalls,
    jwksFetches,
    readableMs,
    latencies,
    left: instances.map(({ keys }) => ({ keys })),
  };
}

function newInstance(idleAt: number, cold: boolean): Instance {
  return { idleAt, keys: new Set(), answered: 0, cold };
}

function duration(instance: Instance, key: number, measured: Measured): number {
  if (instance.cold && instance.answered === 0) return measured.firstRequest();
  return instance.keys.has(key) ? measured.warm() : measured.newKey();
}

function mostRecentlyIdle(instances: readonly Instance[], at: number): Instance | undefined {
  let best: Instance | undefined;
  for (const instance of instances)
    if (instance.idleAt <= at && (best === undefined || instance.idleAt > best.idleAt)) best = instance;
  return best;
}
