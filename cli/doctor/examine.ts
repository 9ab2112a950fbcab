/**
 * The order of an examination, and what hangs on what. One cause is told once: a check that needs
 * another is not made when that one failed, and a failure that an earlier one explains is not counted
 * again.
 */
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

/** One check in its place. */
interface Check {
  readonly name: string;
  readonly run: (target: Target) => Finding | Promise<Finding>;
  /** Checks without which this one says nothing: when one of them failed, it is not made. */
  readonly needs?: readonly string[];
  /** It needs a caller who is let in: one with an accepted token, or anybody where nobody is asked for one. */
  readonly needsAccess?: true;
  /** Checks whose failure explains what goes wrong here: it is made, and counts only if they passed. */
  readonly explainedBy?: readonly string[];
  /** Nothing can be said of a server behind this one's failure. */
  readonly endsAll?: true;
}

const INSIDE = { needs: ['token'], needsAccess: true } as const;

const CHECKS: readonly Check[] = [
  { name: 'address', run: checkAddress },
  { name: 'dns', run: checkName, endsAll: true },
  { name: 'tls', run: checkCertificate, endsAll: true },
  { name: 'reachable', run: checkReachable, endsAll: true },
  { name: 'codec-server', run: checkCodecServer, endsAll: true },
  { name: 'clock', run: checkClock },
  { name: 'paths', run: checkPaths },
  { name: 'method', run: checkMethod },
  { name: 'cors-preflight', run: checkPreflight },
  { name: 'preflight-age', run: checkPreflightAge, needs: ['cors-preflight'] },
  { name: 'foreign-origin', run: checkForeignOrigin },
  { name: 'cors-errors', run: checkErrorHeaders, needs: ['cors-preflight'] },
  { name: 'no-store', run: checkNoStore },
  { name: 'address-space', run: checkAddressSpace },
  { name: 'gateway-cors', run: checkGatewayCors },
  { name: 'anonymous', run: checkAnonymous },
  { name: 'foreign-token', run: checkForeignToken },
  { name: 'expired-token', run: checkExpiredToken, explainedBy: ['foreign-token'] },
  { name: 'token', run: checkGivenToken, explainedBy: ['clock', 'foreign-token'] },
  { name: 'sign-in', run: examineSignIn, needs: ['cors-preflight'] },
  { name: 'keys', run: checkReadiness },
  { name: 'answer-form', run: checkAnswerForm, ...INSIDE },
  { name: 'round-trip', run: checkRoundTrip, ...INSIDE, explainedBy: ['answer-form', 'keys'] },
  { name: 'tolerance', run: checkTolerance, ...INSIDE },
  { name: 'sizes', run: checkSizes, ...INSIDE },
  { name: 'limits', run: checkBodyLimits, ...INSIDE, explainedBy: ['round-trip', 'sizes'] },
  { name: 'latency', run: checkLatency, explainedBy: ['anonymous', 'token', 'keys'] },
];

/** Examines a server; yields each finding as soon as it is known. */
export async function* examine(target: Target): AsyncGenerator<Finding> {
  /** The checks that found something wrong, each with the one that told its cause. */
  const causes = new Map<string, string>();
  const causeAmong = (names: readonly string[] = []) =>
    names.map((name) => causes.get(name)).find((cause) => cause !== undefined);
  for (const { name, run, needs, needsAccess, explainedBy, endsAll } of CHECKS) {
    const missing = causeAmong(needs);
    if (missing !== undefined) {
      causes.set(name, missing);
      yield skipped(name, `not checked: ${missing} comes first`);
      continue;
    }
    if (needsAccess && !target.asksNobody && !target.acceptsToken) {
      yield skipped(name, 'needs an accepted --token');
      continue;
    }
    const finding = await run(target);
    const explanation = isWrong(finding) ? causeAmong(explainedBy) : undefined;
    if (isWrong(finding)) causes.set(name, explanation ?? finding.check);
    yield explanation === undefined ? finding : skipped(name, `cannot be judged: ${explanation} comes first`);
    if (endsAll && finding.status === 'failure') {
      yield skipped('everything else', `not checked: ${finding.check} comes first`);
      return;
    }
  }
}
