/**
 * What is wrong with the rules of a configuration: what can never work is a problem, and what works
 * and is probably not meant is a warning, shown by `codec-server check-config`.
 */
import { matchesNamespace } from '../../codec/namespace-pattern.ts';
import { comparableEmail } from '../email.ts';
import { asOidcIssuer } from '../issuers.ts';
import { EMAIL_PLACEHOLDER, type Problem } from '../problem.ts';
import type { AccessRule, CodecServerConfig, IdentityConfig, People } from '../schema.ts';

/** The parts of a configuration that decide about access. */
export type AccessOfConfig = Pick<CodecServerConfig, 'access' | 'identity'>;

const DOMAIN = /^(?=.{1,253}$)[0-9a-z](?:[0-9a-z-]*[0-9a-z])?(?:\.[0-9a-z](?:[0-9a-z-]*[0-9a-z])?)+$/i;

/** Mail providers at which anybody can have an address. */
const PUBLIC_MAIL_PROVIDERS: ReadonlySet<string> = new Set(
  `126.com 163.com aol.com att.net comcast.net duck.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
  googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr icloud.com inbox.ru laposte.net libero.it list.ru
  live.com mac.com mail.com mail.ru mailbox.org me.com msn.com naver.com orange.fr outlook.com outlook.de pm.me posteo.de
  proton.me protonmail.com qq.com rediffmail.com rocketmail.com skiff.com t-online.de tuta.com tuta.io tutanota.com verizon.net
  web.de yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com zoho.com zohomail.com`.split(
    /\s+/,
  ),
);

/** Claims that every token of an issuer carries alike, or that say nothing about a person. */
const CLAIMS_OF_EVERYBODY: ReadonlySet<string> = new Set([
  'iss',
  'aud',
  'azp',
  'scope',
  'gty',
  'typ',
  'email_verified',
]);

/** All problems with rules; relies on a form that is right. */
export function checkAccess({ access, identity }: AccessOfConfig): Problem[] {
  return access.flatMap((rule, index) => {
    const path = `access[${index}]`;
    const problems = rule.people.flatMap((people, at) => checkPeople(people, identity, `${path}.people[${at}]`));
    const first = access.findIndex(({ name }) => name === rule.name);
    if (first !== index) {
      const message = `access[${first}] has the same name: people are shown it, to ask to be added to one of them.`;
      problems.push({ path: `${path}.name`, message });
    }
    return problems;
  });
}

function checkPeople(people: People, identity: IdentityConfig | null, path: string): Problem[] {
  if (people === 'anyone-on-loopback') return [];
  const ofIssuer = 'serviceToken' in people ? [] : checkIssuer(people.issuer, identity, path);
  if ('email' in people) return [...checkEmail(people.email, `${path}.email`), ...ofIssuer];
  if ('emailDomain' in people) return [...checkDomain(people.emailDomain, `${path}.emailDomain`), ...ofIssuer];
  if ('serviceToken' in people) {
    if (identity?.serviceTokens) return [];
    const message = 'there are no service tokens: set identity.serviceTokens, or remove this.';
    return [{ path: `${path}.serviceToken`, message }];
  }
  if ('temporalCloudRole' in people) {
    if (identity?.temporalCloudRoles) return ofIssuer;
    const message =
      'there is no account to ask for roles: set identity.temporalCloudRoles with an API key, or remove this.';
    return [{ path: `${path}.temporalCloudRole`, message }];
  }
  return ofIssuer;
}

/** Whose word about a person counts: where several could be meant, which one has to be said. */
function checkIssuer(issuer: string | undefined, identity: IdentityConfig | null, path: string): Problem[] {
  const believed = new Set((identity?.issuers ?? []).map((config) => asOidcIssuer(config).issuer));
  if (identity?.signIn) believed.add(identity.signIn.issuer);
  if (issuer === undefined) {
    if (believed.size < 2) return [];
    const message = `several issuers say who people are (${[...believed].join(', ')}), and any of them would be believed: name the one that is meant, issuer: '…'.`;
    return [{ path, message }];
  }
  if (believed.has(issuer)) return [];
  const message =
    'no issuer of identity.issuers has this name, nor has signIn; it must match exactly, trailing slash included.';
  return [{ path: `${path}.issuer`, message }];
}

function checkEmail(email: string, path: string): Problem[] {
  if (EMAIL_PLACEHOLDER.test(email) || comparableEmail(email) !== undefined) return [];
  return [{ path, message: 'is not an email address: write it alone, such as alice@example.com.' }];
}

function checkDomain(domain: string, path: string): Problem[] {
  if (EMAIL_PLACEHOLDER.test(domain) || DOMAIN.test(domain)) return [];
  const message =
    'is not a domain: write example.com, without @ or *, an international one in its xn-- form. Subdomains need entries of their own.';
  return [{ path, message }];
}

/** What works and is probably not meant. */
export function warnAboutAccess(config: AccessOfConfig & Pick<CodecServerConfig, 'defaultNamespace'>): Problem[] {
  const { access, identity, defaultNamespace } = config;
  const warnings = access.flatMap((rule, index) => warnAboutRule(rule, config, `access[${index}]`));
  if (access.length === 0) {
    warnings.push({ path: 'access', message: 'there is no rule, so nobody may decode anything.' });
  }
  if (
    defaultNamespace !== null &&
    access.length > 0 &&
    !access.some(({ namespaces }) => namespaces.some((pattern) => matchesNamespace(pattern, defaultNamespace)))
  ) {
    const message = `no rule covers ${defaultNamespace}, so nobody may decode or encode there: write it in full, as in the rules.`;
    warnings.push({ path: 'defaultNamespace', message });
  }
  for (const [index, issuer] of (identity?.issuers ?? []).entries()) {
    if (asOidcIssuer(issuer).audience !== null) continue;
    const message = 'any audience is accepted: tokens that the issuer made for other applications open this one too.';
    warnings.push({ path: `identity.issuers[${index}].audience`, message });
  }
  return warnings;
}

function warnAboutRule(rule: AccessRule, config: AccessOfConfig, path: string): Problem[] {
  const warnings = rule.people.flatMap((people, at) => warnAboutPeople(people, rule, config, `${path}.people[${at}]`));
  warnings.push(...warnAboutNamespaces(rule, config, path));
  for (const field of ['people', 'namespaces', 'allow'] as const) {
    if (rule[field].length > 0) continue;
    warnings.push({ path: `${path}.${field}`, message: 'is empty, so the rule allows nobody anything.' });
  }
  return warnings;
}

/** A namespace of Temporal Cloud is named in full, `orders-prod.a1b2c`: the likeliest thing to forget is the account. */
function warnAboutNamespaces({ namespaces }: AccessRule, { identity }: AccessOfConfig, path: string): Problem[] {
  const issuers = identity?.issuers ?? [];
  if (issuers.length === 0 || issuers.some(({ type }) => type !== 'temporal-cloud')) return [];
  return namespaces.flatMap((namespace, at) =>
    namespace.includes('.') || namespace.includes('*')
      ? []
      : [
          {
            path: `${path}.namespaces[${at}]`,
            message: `matches no namespace of Temporal Cloud, whose full names end in the account: ${namespace}.<account>.`,
          },
        ],
  );
}

function warnAboutPeople(people: People, rule: AccessRule, { identity }: AccessOfConfig, path: string): Problem[] {
  const warnings: Problem[] = [];
  const warn = (message: string): void => void warnings.push({ path, message });
  const encodes = rule.allow.includes('encode');
  if (people === 'anyone-on-loopback') {
    if (identity !== null) warn('matches nobody: with identity set, everybody is asked who they are.');
    return warnings;
  }
  if (identity === null) {
    warn('matches nobody: identity is null, so nobody is asked who they are.');
    return warnings;
  }
  if ('emailDomain' in people) {
    if (PUBLIC_MAIL_PROVIDERS.has(people.emailDomain.toLowerCase())) {
      warn(`anybody can have an address at ${people.emailDomain}: name persons instead.`);
    }
    if (encodes) warn('everybody with an address of the domain may encode: grant encode to those who start workflows.');
  }
  if ('temporalCloudRole' in people && people.temporalCloudRole === 'read' && encodes) {
    warn("whoever may read may encode: allow encode to { temporalCloudRole: 'write' }.");
  }
  if ('claim' in people) warnings.push(...warnAboutClaim(people, encodes, identity, path));
  if (!('serviceToken' in people) && identity.issuers.length === 0 && !identity.signIn) {
    warn('matches nobody: there is no issuer of tokens for people.');
  }
  return warnings;
}

function warnAboutClaim(
  { claim, includes, issuer }: Extract<People, { readonly claim: string }>,
  encodes: boolean,
  { issuers }: IdentityConfig,
  path: string,
): Problem[] {
  const warnings: Problem[] = [];
  const everybody = CLAIMS_OF_EVERYBODY.has(claim);
  if (everybody) {
    const andEncode = encodes ? ', and encode' : '';
    const message = `the claim ${claim} is the same for everybody with a token: this lets all of them in${andEncode}.`;
    warnings.push({ path, message });
  }
  const believed = issuers.filter((it) => issuer === undefined || asOidcIssuer(it).issuer === issuer);
  if (!everybody && claim !== 'sub' && believed.some(({ type }) => type === 'temporal-cloud')) {
    const message = `Temporal Cloud issues tokens to every customer: be sure that nobody else can have ${claim} = ${JSON.stringify(includes)}.`;
    warnings.push({ path, message });
  }
  return warnings;
}
