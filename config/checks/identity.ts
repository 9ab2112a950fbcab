/** What is wrong with how a configuration lets callers prove who they are. */
import { asOidcIssuer } from '../issuers.ts';
import type { Problem } from '../problem.ts';
import type { CodecServerConfig, OidcIssuerConfig, TemporalCloudRolesConfig } from '../schema.ts';

const MAX_LEEWAY_SECONDS = 300;
const MAX_ROLE_CACHE_SECONDS = 86_400;
const PLACEHOLDER = /<[^<>]*>/;

/** All problems with identity; relies on a form that is right. */
export function checkIdentity({ identity }: Pick<CodecServerConfig, 'identity'>): Problem[] {
  if (identity === null) return [];
  const { issuers, serviceTokens, clockLeewaySeconds: leeway = 0, temporalCloudRoles } = identity;
  const problems = issuers.flatMap((config, index) => checkIssuer(asOidcIssuer(config), `identity.issuers[${index}]`));
  if (issuers.length === 0 && serviceTokens === null && !identity.signIn) {
    const message =
      "there is no way to prove who calls: add { type: 'temporal-cloud' }, your own issuer, signIn, or serviceTokens.";
    problems.push({ path: 'identity.issuers', message });
  }
  problems.push(...checkDistinct(issuers.map(asOidcIssuer)));
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
export function checkHttps(text: string, path: string): Problem[] {
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
