/** The time that work takes of a processor, which does not count what else the machine does meanwhile. */

/** @returns milliseconds of the processor's time, threads of the engine included */
export function cpuMilliseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
