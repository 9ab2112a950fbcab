/** What is wrong with a configuration's own sign-in. */

import type { EnvironmentConfig } from '../environment.ts';
import { isLoopbackHostname } from '../loopback.ts';
import type { Problem } from '../problem.ts';
import type { CodecServerConfig, SignInConfig } from '../schema.ts';
import { checkHttps } from './identity.ts';

const PATH = 'identity.signIn';
const MOST_ABSOLUTE_SECONDS = 86_400;
const LEAST_SECONDS = 60;
const PLACEHOLDER = /<[^<>]*>/;

/** All problems with sign-in; relies on a form that is right. */
export function checkSignIn({ identity, cors }: Pick<CodecServerConfig, 'identity' | 'cors'>): Problem[] {
  const signIn = identity?.signIn;
  if (!signIn) return [];
  const problems = [...checkHttps(signIn.issuer, `${PATH}.issuer`), ...checkPublicUrl(signIn), ...checkTimes(signIn)];
  if (!cors.credentials) {
    const message =
      'browsers send no cookie to this server, so nobody could use a session: write true, or null for identity.signIn.';
    problems.push({ path: 'cors.credentials', message });
  }
  if (cors.origins.length === 0) {
    const message = 'a session counts from allowed origins only: name the origin of the Web UI.';
    problems.push({ path: 'cors.origins', message });
  }
  for (const [index, origin] of cors.origins.entries()) {
    if (!origin.startsWith('http://') || isLoopback(origin)) continue;
    const message =
      'with sign-in, a page that anybody on the network can change could use the session of whoever opens it: serve the Web UI over https.';
    problems.push({ path: `cors.origins[${index}]`, message });
  }
  if (signIn.scopes !== undefined && !signIn.scopes.includes('openid')) {
    const message = "without 'openid' the provider does not say who signs in: add it.";
    problems.push({ path: `${PATH}.scopes`, message });
  }
  if (signIn.algorithms?.length === 0) {
    const message = "an empty list accepts no ID token: name an algorithm, or leave it out for ['RS256'].";
    problems.push({ path: `${PATH}.algorithms`, message });
  }
  return problems;
}

/** What only a deployment has to fulfill. */
export function checkSignInOnAws({
  identity,
  deployment,
}: Pick<EnvironmentConfig, 'identity' | 'deployment'>): Problem[] {
  const signIn = identity?.signIn;
  if (!signIn) return [];
  const problems: Problem[] = [];
  for (const field of ['clientSecret', 'sessionKeys'] as const) {
    const kept = signIn[field];
    if (kept === null || !('file' in kept)) continue;
    const message = "there is no such file on AWS: keep it in Secrets Manager, { secret: 'created-by-stack' }.";
    problems.push({ path: `${PATH}.${field}.file`, message });
  }
  const { domain } = deployment;
  if (domain !== null && signIn.publicUrl !== `https://${domain.name}` && !PLACEHOLDER.test(signIn.publicUrl)) {
    const message = `browsers reach this server at its domain: write 'https://${domain.name}'.`;
    problems.push({ path: `${PATH}.publicUrl`, message });
  }
  return problems;
}

function checkPublicUrl({ publicUrl }: SignInConfig): Problem[] {
  const path = `${PATH}.publicUrl`;
  if (PLACEHOLDER.test(publicUrl)) return [];
  const url = URL.parse(publicUrl);
  if (url?.protocol !== 'https:') {
    const message =
      'browsers keep the session over https only: write https://…; locally, start with --tls-cert and --tls-key.';
    return [{ path, message }];
  }
  if (url.origin === publicUrl) return [];
  return [{ path, message: `scheme and host alone: write '${url.origin}'.` }];
}

function checkTimes({ absoluteSeconds, idleSeconds }: SignInConfig): Problem[] {
  const problems: Problem[] = [];
  for (const [field, value] of Object.entries({ absoluteSeconds, idleSeconds })) {
    if (value === undefined || (Number.isInteger(value) && value >= LEAST_SECONDS && value <= MOST_ABSOLUTE_SECONDS))
      continue;
    const message = `a whole number of seconds from ${LEAST_SECONDS} to ${MOST_ABSOLUTE_SECONDS}.`;
    problems.push({ path: `${PATH}.${field}`, message });
  }
  if (absoluteSeconds !== undefined && idleSeconds !== undefined && idleSeconds > absoluteSeconds) {
    const message = 'is longer than absoluteSeconds, which ends the session before: lower it.';
    problems.push({ path: `${PATH}.idleSeconds`, message });
  }
  return problems;
}

function isLoopback(origin: string): boolean {
  return isLoopbackHostname(URL.parse(origin)?.hostname ?? '');
}
