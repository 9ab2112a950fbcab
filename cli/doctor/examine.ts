/** The order of an examination: what everything else depends on comes first, and ends it when it fails. */
import { checkErrorHeaders, checkForeignOrigin, checkNoStore, checkPreflight, checkPreflightAge } from './browser.ts';
import { checkAddress, checkCertificate, checkClock, checkName, checkReachable } from './connection.ts';
import { type Finding, skipped } from './finding.ts';
import { checkAnonymous, checkExpiredToken, checkForeignToken, checkGivenToken } from './identity.ts';
import { checkAddressSpace, checkGatewayCors } from './network.ts';
import {
  checkAnswerForm,
  checkMethod,
  checkPaths,
  checkReadiness,
  checkRoundTrip,
  checkSizes,
  checkTolerance,
} from './protocol.ts';
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
}

/** Checks that only an accepted caller can make. */
const INSIDE = ['round-trip', 'answer-form', 'tolerance', 'sizes'] as const;

/** Examines a server; yields each finding as soon as it is known. */
export async function* examine({ target, now, expiredToken }: Examination): AsyncGenerator<Finding> {
  for (const check of [
    async () => checkAddress(target),
    () => checkName(target),
    () => checkCertificate(target, now()),
    () => checkReachable(target),
  ]) {
    const finding = await check();
    yield finding;
    if (finding.status === 'failure' && finding.check !== 'address') {
      yield skipped('everything else', 'needs a server that answers');
      return;
    }
  }
  yield await checkClock(target, now);
  yield await checkPaths(target);
  yield await checkMethod(target);
  yield await checkPreflight(target);
  yield await checkPreflightAge(target);
  yield await checkForeignOrigin(target);
  yield await checkErrorHeaders(target);
  yield await checkNoStore(target);
  yield await checkAddressSpace(target);
  yield await checkGatewayCors(target);

  const anonymous = await checkAnonymous(target);
  yield anonymous.finding;
  yield await checkForeignToken(target, now(), anonymous.allowed);
  yield await checkExpiredToken(target, now(), anonymous.allowed, expiredToken);
  const given = await checkGivenToken(target);
  yield given;
  yield await examineSignIn(target);
  yield await checkReadiness(target);

  if (anonymous.allowed || given.status === 'ok') {
    yield await checkRoundTrip(target);
    yield await checkAnswerForm(target);
    yield await checkTolerance(target);
    yield await checkSizes(target);
  } else for (const check of INSIDE) yield skipped(check, 'needs an accepted --token');
  yield await checkLatency(target);
}
