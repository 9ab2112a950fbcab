/** Figures of alarms that are also played through in `bench/alarms/`. */

/** Of the alarm on requests that were not served. */
export const NOT_SERVED = {
  /** CloudWatch looks at the last half hour every minute. */
  windowMinutes: 30,
  /** A page of the Web UI sends up to 36 requests: one page is no outage, and two are. */
  threshold: 40,
} as const;
