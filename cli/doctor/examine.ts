/**
 * The order of an examination, and what hangs on what. One cause is told once: a check that needs
 * another is not made when that one failed, and a failure that an earlier one explains is not counted
 * again.
 */
import type { Connection } from '../cluster/connection.ts';
import { checkErrorHeaders, checkForeignOrigin, checkNoStore, checkPreflight, checkPreflightAge } from './browser.ts';
import { checkCodecServer } from './codec-server.ts';
import {
  checkAddress,
  checkAddressSpace,
  checkCertificate,
  checkClock,
  checkGatewayCors,
  checkName,
  checkReachable,
} from './connection.ts';
import { checkAnonymous, checkExpiredToken, checkForeignToken, checkGivenToken } from './identity.ts';
import { checkBodyLimits } from './limits.ts';
import { checkAnswerForm, checkMethod, checkPaths, checkReadiness, checkSizes, checkTolerance } from './protocol.ts';
import { type Finding, isWrong, skipped } from './report.ts';
import { checkRoundTrip } from './round-trip.ts';
import { examineSignIn } from './sign-in.ts';
import { checkLatency } from './speed.ts';
import type { Target } from './target.ts';

/** What an examination needs beside its target. */
export interface Examination {
  readonly target: Target;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A genuine token of the issuer that has expired, if there is one. */
  readonly expiredToken: string | undefined;
  /** The Temporal server that the namespace is on, if it is to be asked what it takes. */
  readonly temporal: Connection | undefined;
}

/** One check in its place. */
interface Check {
  readonly name: string;
  readonly run: () => Promise<Finding>;
  /** Checks without which this one says nothing: when one of them failed, it is not made. */
  readonly needs?: readonly string[];
  /** Checks whose failure explains what goes wrong here: it is made, and counts only if they passed. */
  readonly explainedBy?: readonly string[];
  /** Nothing can be said of a server behind this one's failure. */
  readonly endsAll?: true;
}

/** Examines a server; yields each finding as soon as it is known. */
export async function* examine(examination: Examination): AsyncGenerator<Finding> {
  /** The checks that found something wrong, each with the one that told its cause. */
  const causes = new Map<string, string>();
  const causeAmong = (names: readonly string[] = []) =>
    names.map((name) => causes.get(name)).find((cause) => cause !== undefined);
  for (const { name, run, needs, explainedBy, endsAll } of checksOf(examination)) {
    const missing = causeAmong(needs);
    if (missing !== undefined) {
      causes.set(name, missing);
      yield skipped(name, `not checked: ${missing} comes first`);
      continue;
    }
    const finding = await run();
    const explanation = isWrong(finding) ? causeAmong(explainedBy) : undefined;
    if (isWrong(finding)) causes.set(name, explanation ?? finding.check);
    yield explanation === undefined ? finding : skipped(name, `cannot be judged: ${explanation} comes first`);
    if (endsAll && finding.status === 'failure') {
      yield skipped('everything else', `not checked: ${finding.check} comes first`);
      return;
    }
  }
}

function checksOf({ target, now, expiredToken, temporal }: Examination): readonly Check[] {
  /** Whether requests without a token are carried out, and whether the given token is accepted. */
  let anonymous = false;
  let accepted = false;
  const inside = (name: string, run: () => Promise<Finding>, explainedBy: readonly string[] = []): Check => ({
    name,
    run: async () => (anonymous || accepted ? run() : skipped(name, 'needs an accepted --token')),
    needs: ['token'],
    explainedBy,
  });
  return [
    { name: 'address', run: async () => checkAddress(target) },
    { name: 'dns', run: () => checkName(target), endsAll: true },
    { name: 'tls', run: () => checkCertificate(target, now()), endsAll: true },
    { name: 'reachable', run: () => checkReachable(target), endsAll: true },
    { name: 'codec-server', run: () => checkCodecServer(target), endsAll: true },
    { name: 'clock', run: () => checkClock(target, now) },
    { name: 'paths', run: () => checkPaths(target) },
    { name: 'method', run: () => checkMethod(target) },
    {
      name: 'cors-preflight',
      run: async () => {
        const finding = await checkPreflight(target);
        // What the server does for callers it lets in shows without the page's origin, too: as the CLI asks.
        target.sendsOrigin = !isWrong(finding);
        return finding;
      },
    },
    { name: 'preflight-age', run: () => checkPreflightAge(target), needs: ['cors-preflight'] },
    { name: 'foreign-origin', run: () => checkForeignOrigin(target) },
    { name: 'cors-errors', run: () => checkErrorHeaders(target), needs: ['cors-preflight'] },
    { name: 'no-store', run: () => checkNoStore(target) },
    { name: 'address-space', run: () => checkAddressSpace(target) },
    { name: 'gateway-cors', run: () => checkGatewayCors(target) },
    {
      name: 'anonymous',
      run: async () => {
        const { finding, allowed } = await checkAnonymous(target);
        anonymous = allowed;
        return finding;
      },
    },
    { name: 'foreign-token', run: () => checkForeignToken(target, now(), anonymous) },
    {
      name: 'expired-token',
      run: () => checkExpiredToken(target, now(), anonymous, expiredToken),
      explainedBy: ['foreign-token'],
    },
    {
      name: 'token',
      run: async () => {
        const finding = await checkGivenToken(target);
        accepted = finding.status === 'ok';
        return finding;
      },
      explainedBy: ['clock', 'foreign-token'],
    },
    { name: 'sign-in', run: () => examineSignIn(target), needs: ['cors-preflight'] },
    { name: 'keys', run: () => checkReadiness(target) },
    inside('answer-form', () => checkAnswerForm(target)),
    inside('round-trip', () => checkRoundTrip(target), ['answer-form', 'keys']),
    inside('tolerance', () => checkTolerance(target)),
    inside('sizes', () => checkSizes(target)),
    inside('limits', () => checkBodyLimits(target, temporal), ['round-trip', 'sizes']),
    { name: 'latency', run: () => checkLatency(target), explainedBy: ['anonymous', 'token', 'keys'] },
  ];
}
