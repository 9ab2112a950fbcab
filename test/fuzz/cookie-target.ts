/** Cookie headers: only the session that was sealed here lets anybody in, whatever stands around it. */
import { UnauthenticatedError } from '../../lambda/server/auth/caller.ts';
import { cookieValues, createSeal, SESSION_COOKIE, SIGN_IN_COOKIE } from '../../lambda/server/sign-in/seal.ts';
import { newSessionKeys, parseSessionKeys } from '../../lambda/server/sign-in/session-keys.ts';
import { Sessions } from '../../lambda/server/sign-in/sessions.ts';
import { SignInFlow } from '../../lambda/server/sign-in/sign-in-flow.ts';
import { ensure, type FuzzTarget } from './target.ts';

const owner = { publicUrl: 'https://codec.example.com', issuer: 'https://login.example.com/', clientId: 'codec' };
const keys = parseSessionKeys({ current: newSessionKeys(), previous: undefined });
const seal = createSeal(owner);
const sessions = new Sessions({
  seal,
  keys: { get: () => keys, refresh: () => keys },
  issuer: owner.issuer,
  limits: { absoluteSeconds: 86_400, idleSeconds: 86_400 },
  signInAddress: `${owner.publicUrl}/login`,
});
const flow = new SignInFlow(seal, () => keys);
const caller = { method: 'session', subject: 'someone', issuer: owner.issuer, email: undefined, claims: {} } as const;

/** Name and value alone of a `Set-Cookie`. */
const pairOf = (text: string | undefined): string => (text ?? '').split(';')[0] ?? '';
const session = pairOf(await sessions.start(caller));
const signIn = pairOf(await flow.cookieOf({ state: 'state', nonce: 'nonce', verifier: 'verifier' }));
const sealed = session.slice(SESSION_COOKIE.length + 1);

export const cookie: FuzzTarget = {
  name: 'cookie',
  covers: ['/lambda/server/sign-in/seal', '/lambda/server/sign-in/session'],
  seeds: [session, `a=b; ${session}; c=d`, `${session}; ${session}`, signIn, `${SESSION_COOKIE}=`].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
  words: [`${SESSION_COOKIE}=`, `${SIGN_IN_COOKIE}=`, '; ', ';', '=', '"', '-', '_', ' ', ','],
  maxLength: 20_000,
  async run(input) {
    const header = input.toString('latin1');
    try {
      const found = await sessions.authenticate([header]);
      if (found === undefined) ensure(cookieValues([header], SESSION_COOKIE).length === 0, 'overlooked a session');
      else
        ensure(
          header.split(';').some((pair) => pair.trim() === session) && found.subject === 'someone',
          `let in ${found.subject}`,
        );
    } catch (error) {
      ensure(error instanceof UnauthenticatedError, `threw ${String(error)}`);
      ensure(!error.message.includes(sealed), 'repeats the cookie in its message');
    }
    const secrets = await flow.secretsOf([header]);
    ensure(secrets === undefined || header.includes(signIn), 'took a sign-in that nobody began');
  },
};
