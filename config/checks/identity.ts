/** What is wrong with how a configuration lets callers prove who they are. */

import { isLoopbackHostname } from '../addresses.ts';
import { asOidcIssuer } from '../issuers.ts';
import { isWhole, PLACEHOLDER, type Problem } from '../problem.ts';
import type { CodecServerConfig, OidcIssuerConfig, SignInConfig, TemporalCloudRolesConfig } from '../schema.ts';

const MAX_LEEWAY_SECONDS = 300;
const MAX_ROLE_CACHE_SECONDS = 86_400;

/** All problems with identity; relies on a form that is right. */
export function checkIdentity({ identity }: Pick<CodecServerConfig, 'identity'>): Problem[] {
  if (identity === null) return [];
  const { issuers, serviceTokens, clockLeewaySeconds: leeway = 0, temporalCloudRoles } = identity;
  const oidc = issuers.map(asOidcIssuer);
  const problems = oidc.flatMap((issuer, index) => checkIssuer(issuer, `identity.issuers[${index}]`));
  if (issuers.length === 0 && serviceTokens === null && !identity.signIn) {
    const message =
      "there is no way to prove who calls: add { type: 'temporal-cloud' }, your own issuer, signIn, or serviceTokens.";
    problems.push({ path: 'identity.issuers', message });
  }
  problems.push(...checkDistinct(oidc));
  if (!(leeway >= 0 && leeway <= MAX_LEEWAY_SECONDS)) {
    const message = `a number of seconds from 0 to ${MAX_LEEWAY_SECONDS}: it lengthens the life of every token.`;
    problems.push({ path: 'identity.clockLeewaySeconds', message });
  }
  if (temporalCloudRoles) problems.push(...checkRoles(temporalCloudRoles));
  return problems;
}

function checkIssuer({ issuer, jwksUri, audience, algorithms }: OidcIssuerConfig, path: string): Problem[] {
  const problems = [...checkHttps(issuer, `${path}.issuer`), ...checkHttps(jwksUri, `${path}.jwksUri`)];
  if (Array.isArray(audience) && audience.length === 0) {
    const message = 'an empty list accepts no token: name an audience, or write null to accept any, in writing.';
    problems.push({ path: `${path}.audience`, message });
  }
  if (algorithms?.length === 0) {
    const message = "an empty list accepts no token: name an algorithm, or leave it out for ['RS256'].";
    problems.push({ path: `${path}.algorithms`, message });
  }
  return problems;
}

/** An `https:` address in full, without anybody's password in it. */
function checkHttps(text: string, path: string): Problem[] {
  if (PLACEHOLDER.test(text)) return [];
  const url = URL.parse(text);
  if (url?.protocol === 'https:' && text === text.trim() && url.username === '' && url.password === '') return [];
  return [{ path, message: 'an https address in full, such as https://login.example.com/.' }];
}

/** Two entries for the same tokens: which one counts would depend on their order. */
function checkDistinct(issuers: readonly OidcIssuerConfig[]): Problem[] {
  return issuers.flatMap((issuer, index) => {
    const before = issuers.slice(0, index);
    const first = before.findIndex((it) => it.issuer === issuer.issuer && it.from === issuer.from && meet(it, issuer));
    if (first < 0) return [];
    const message = `takes the same tokens as identity.issuers[${first}]: give them different audiences, or remove one.`;
    return [{ path: `identity.issuers[${index}]`, message }];
  });
}

function meet({ audience: a }: OidcIssuerConfig, { audience: b }: OidcIssuerConfig): boolean {
  if (a === null || b === null) return true;
  const some = typeof a === 'string' ? [a] : a;
  const others = typeof b === 'string' ? [b] : b;
  return some.some((audience) => others.includes(audience));
}

function checkRoles({ endpoint, cacheSeconds = 1 }: TemporalCloudRolesConfig): Problem[] {
  const path = 'identity.temporalCloudRoles';
  const problems = endpoint === undefined ? [] : checkHttps(endpoint, `${path}.endpoint`);
  if (!(cacheSeconds >= 1 && cacheSeconds <= MAX_ROLE_CACHE_SECONDS)) {
    const message = `a number of seconds from 1 to ${MAX_ROLE_CACHE_SECONDS}: for so long a role that was taken away still reads.`;
    problems.push({ path: `${path}.cacheSeconds`, message });
  }
  return problems;
}

// What is wrong with a configuration's own sign-in.

const PATH = 'identity.signIn';
const MOST_ABSOLUTE_SECONDS = 86_400;
const LEAST_SECONDS = 60;

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
    if (!origin.startsWith('http://') || isLoopbackHostname(URL.parse(origin)?.hostname ?? '')) continue;
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
    if (value === undefined || isWhole(value, LEAST_SECONDS, MOST_ABSOLUTE_SECONDS)) continue;
    const message = `a whole number of seconds from ${LEAST_SECONDS} to ${MOST_ABSOLUTE_SECONDS}.`;
    problems.push({ path: `${PATH}.${field}`, message });
  }
  if (absoluteSeconds !== undefined && idleSeconds !== undefined && idleSeconds > absoluteSeconds) {
    const message = 'is longer than absoluteSeconds, which ends the session before: lower it.';
    problems.push({ path: `${PATH}.idleSeconds`, message });
  }
  return problems;
}
