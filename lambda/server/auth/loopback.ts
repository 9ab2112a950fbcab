/** Identity on a loopback address, where nobody is asked: whoever reaches the server is on this machine. */
import type { Authenticator, Caller } from './caller.ts';

/** The one caller there is; rules name it `anyone-on-loopback`. */
export const LOOPBACK_CALLER: Caller = Object.freeze({
  method: 'loopback',
  subject: 'loopback',
  issuer: undefined,
  email: undefined,
  claims: Object.freeze({}),
});

/** Only for a server that listens on loopback addresses and nowhere else. */
export const loopbackAuthenticator: Authenticator = { authenticate: () => LOOPBACK_CALLER };
