/** Temporal Cloud as the OpenID Connect issuer that it is, with everything about it known. */
import type { IssuerConfig, OidcIssuerConfig } from './schema.ts';

/** The Cloud Ops API, which is also the audience of the tokens that the Web UI has. */
export const CLOUD_OPS_API = 'https://saas-api.tmprl.cloud';

/** Its access tokens, as it issues them. */
export const TEMPORAL_CLOUD = {
  issuer: 'https://login.tmprl.cloud/',
  jwksUri: 'https://login.tmprl.cloud/.well-known/jwks.json',
  audience: CLOUD_OPS_API,
  emailClaim: `${CLOUD_OPS_API}/user/email`,
} as const;

/** An issuer with its defaults filled in. */
export function asOidcIssuer(config: IssuerConfig): OidcIssuerConfig {
  if (config.type === 'oidc') return config;
  return {
    type: 'oidc',
    issuer: config.issuer ?? TEMPORAL_CLOUD.issuer,
    jwksUri: config.jwksUri ?? TEMPORAL_CLOUD.jwksUri,
    audience: config.audience ?? TEMPORAL_CLOUD.audience,
    from: 'authorization',
    emailClaim: config.emailClaim ?? TEMPORAL_CLOUD.emailClaim,
  };
}
