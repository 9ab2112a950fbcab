/** Time as the key caches see it: injected, so that five minutes of an outage take a test no time. */
export interface Clock {
  /** Milliseconds, as `Date.now()`. */
  now(): number;
  /** Runs `action` once after some milliseconds; answers how to call it off. */
  after(milliseconds: number, action: () => void): () => void;
  /** The same for housekeeping, which must not keep the process alive. */
  afterInBackground(milliseconds: number, action: () => void): () => void;
}

/** The clock on the wall. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  afterInBackground: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** Waits for some milliseconds of a clock. */
export function pause(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(milliseconds, resolve);
  });
}
