/** Tells of refusals without flooding: a Nexus operation that is refused is tried again for hours. */

/** Milliseconds for which the same text is told once. */
const PAUSE = 60_000;
/** Texts remembered. */
const MOST = 100;

/** A function that passes a text on, at most once a minute. */
export function occasionally(tell: (message: string) => void, now: () => number = Date.now): (message: string) => void {
  const told = new Map<string, number>();
  return (message) => {
    const time = now();
    if (time < (told.get(message) ?? Number.NEGATIVE_INFINITY) + PAUSE) return;
    if (told.size >= MOST) told.clear();
    told.set(message, time);
    tell(message);
  };
}

/** Node's own channel for what a library has to say to its program. */
export function warnProcess(message: string): void {
  process.emitWarning(message, { type: 'TemporalCodecWarning' });
}
