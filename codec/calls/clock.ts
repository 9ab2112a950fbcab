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

/**
 * Milliseconds since a point in time. What is from the future has no age that anybody knows, for the clock was set back
 * since: it counts as older than anything, so that nothing lives longer than it may.
 */
export function ageOf(at: number, now: number): number {
  const age = now - at;
  return age < 0 ? Number.POSITIVE_INFINITY : age;
}

/** Waits for some milliseconds of a clock. */
export function pause(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(milliseconds, resolve);
  });
}

/**
 * Whether the process stood still. Lambda freezes an instance between two requests, and a laptop
 * sleeps: every clock has moved on afterwards, so that time limits are over during which nothing ran,
 * and connections are dead that nobody closed. What failed across such a gap says nothing about the
 * service that was asked.
 */

/** Milliseconds between two beats while something is watched. */
const BEAT_MS = 250;
/** A beat that comes so many milliseconds late means that nothing ran in between. */
const GAP_MS = 1_000;

/** One thing under way. */
export interface FreezeWatch {
  /** Whether the process stood still for a second or more since the watch began. */
  readonly hasFrozen: boolean;
  /** Must be called when the thing is over. */
  end(): void;
}

/** Standing still is a fact of the whole process, and so is this count of it. */
let thaws = 0;
let watches = 0;
let lastBeat = 0;
let timer: NodeJS.Timeout | undefined;

function beat(): void {
  const now = Date.now();
  if (now - lastBeat > GAP_MS) thaws++;
  lastBeat = now;
}

/** Watches from now on. */
export function watchForFreeze(): FreezeWatch {
  if (watches++ === 0) {
    lastBeat = Date.now();
    timer = setInterval(beat, BEAT_MS).unref();
  } else beat();
  const before = thaws;
  let isOver = false;
  return {
    get hasFrozen() {
      if (!isOver) beat();
      return thaws !== before;
    },
    end() {
      if (isOver) return;
      beat();
      isOver = true;
      if (--watches === 0) clearInterval(timer);
    },
  };
}
