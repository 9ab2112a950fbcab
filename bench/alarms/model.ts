/**
 * People who open pages of the Web UI while the server works or does not, and the alarm that is to tell
 * the difference. A model: what it assumes stands in {@link TEAM} and {@link MISTAKES}.
 */
import { NOT_SERVED } from '../../lib/alarms/watches.ts';

/** Numbers in 0…1. */
export type Random = () => number;

/** Requests that arrive together, at a time in minutes, and how many of them are not served. */
export interface Arrival {
  readonly at: number;
  readonly requests: number;
  readonly notServed: number;
}

/** How people work. Requests a page as docs/protocol.md counts them. */
export const TEAM = {
  pagesADay: 20,
  minutesADay: 8 * 60,
  /** Pages that need few requests, and how many. */
  shareOfShortPages: 0.2,
  shortPage: 3,
  longPage: { from: 19, to: 36 },
  /** Whoever sees ciphertext tries again with this probability, after this many minutes on average, up to this often. */
  triesAgain: 2 / 3,
  triesAgainAfter: 1,
  mostTries: 3,
} as const;

/** What people do wrong in a month of 21 working days, each. */
export const MISTAKES = {
  days: 21,
  /** A page left open until its token is over: its requests fail, and the reload works. */
  oldPages: 4,
  /** A history whose key is gone or never was here: its requests fail, and so does every further try. */
  closedHistories: 0.5,
  /** A command with a wrong or old token: the CLI tries for ten seconds, and the person once more. */
  wrongTokens: 1,
  requestsOfACommand: 7,
} as const;

/** A time with this mean between two events of a Poisson process. */
function wait(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

function requestsOfAPage(random: Random): number {
  const { shareOfShortPages, shortPage, longPage } = TEAM;
  if (random() < shareOfShortPages) return shortPage;
  return longPage.from + Math.floor(random() * (longPage.to - longPage.from + 1));
}

/** Times within `minutes` at which something happens `perMinute` times a minute on average. */
function* times(random: Random, perMinute: number, minutes: number): Generator<number> {
  for (let at = wait(random, 1 / perMinute); at < minutes; at += wait(random, 1 / perMinute)) yield at;
}

/** A page, and the further tries of whoever cannot read it. */
function* tries(random: Random, from: number, fails: (at: number) => boolean): Generator<Arrival> {
  let at = from;
  for (let count = 0; count < TEAM.mostTries; count++) {
    const requests = requestsOfAPage(random);
    const failed = fails(at);
    yield { at, requests, notServed: failed ? requests : 0 };
    if (!failed || random() > TEAM.triesAgain) return;
    at += wait(random, TEAM.triesAgainAfter);
  }
}

/** A team's work while a share of its pages fails from a minute on. */
export function work(
  random: Random,
  people: number,
  minutes: number,
  outage?: { readonly from: number; readonly share: number },
): Arrival[] {
  const perMinute = (people * TEAM.pagesADay) / TEAM.minutesADay;
  const fails = (at: number) => outage !== undefined && at >= outage.from && random() < outage.share;
  return [...times(random, perMinute, minutes)].flatMap((at) => [...tries(random, at, fails)]);
}

/** A working day with the mistakes of one: the server has no fault. */
export function ordinaryDay(random: Random, people: number): Arrival[] {
  const { minutesADay, triesAgainAfter } = TEAM;
  const arrivals = work(random, people, minutesADay);
  const mistakes = (aMonth: number) => times(random, (people * aMonth) / MISTAKES.days / minutesADay, minutesADay);
  for (const at of mistakes(MISTAKES.oldPages)) {
    const requests = requestsOfAPage(random);
    arrivals.push({ at, requests, notServed: requests });
    const reload = at + wait(random, triesAgainAfter);
    arrivals.push({ at: reload, requests: requestsOfAPage(random), notServed: 0 });
  }
  for (const at of mistakes(MISTAKES.closedHistories)) arrivals.push(...tries(random, at, () => true));
  for (const first of mistakes(MISTAKES.wrongTokens)) {
    for (const at of [first, first + wait(random, triesAgainAfter)])
      arrivals.push({ at, requests: MISTAKES.requestsOfACommand, notServed: MISTAKES.requestsOfACommand });
  }
  return arrivals;
}

/** Requests not served, weighed with their share of all, as the alarm's expression has it. */
export function weighed(notServed: number, requests: number): number {
  return notServed > 0 ? (notServed * notServed) / requests : 0;
}

/**
 * The minutes at whose end the alarm goes off. CloudWatch evaluates every minute over a window that
 * slides with it.
 */
export function alarmMinutes(arrivals: readonly Arrival[], { windowMinutes, threshold } = NOT_SERVED): number[] {
  const last = Math.ceil(Math.max(0, ...arrivals.map(({ at }) => at))) + windowMinutes;
  const all = new Float64Array(last + 1);
  const bad = new Float64Array(last + 1);
  for (const { at, requests, notServed } of arrivals) {
    const minute = Math.floor(at);
    all[minute] = (all[minute] ?? 0) + requests;
    bad[minute] = (bad[minute] ?? 0) + notServed;
  }
  const minutes: number[] = [];
  let [inWindow, badInWindow, was] = [0, 0, false];
  for (let end = 1; end <= last; end++) {
    inWindow += (all[end - 1] ?? 0) - (all[end - 1 - windowMinutes] ?? 0);
    badInWindow += (bad[end - 1] ?? 0) - (bad[end - 1 - windowMinutes] ?? 0);
    const is = weighed(badInWindow, inWindow) >= threshold;
    if (is && !was) minutes.push(end);
    was = is;
  }
  return minutes;
}
