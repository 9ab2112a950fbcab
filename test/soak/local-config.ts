/** The configuration file of the local server under soak. */
import { soakConfig } from './config.ts';

const { SOAK_ISSUER = '', SOAK_JWKS = '', SOAK_KEY_ORDERS = '', SOAK_KEY_BILLING = '' } = process.env;

export default soakConfig({ issuer: SOAK_ISSUER, jwksUri: SOAK_JWKS, keys: [SOAK_KEY_ORDERS, SOAK_KEY_BILLING] });
