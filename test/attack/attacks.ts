/**
 * The attacks: tokens and requests, each with the status it has to get. None may see a plaintext,
 * cause a key call, or make anybody fetch a key that the attacker points to.
 */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { makeServiceToken } from '../../lambda/server/auth/service-tokens.ts';
import { encodePart, signingKeyOf, signToken } from '../support/https-issuer.ts';
import { type Attack, bearer, type Claims, claims, token, withHeaders } from './attack.ts';
import { PAYLOAD_ATTACKS } from './payload-attacks.ts';
import { type AttackWorld, ORIGIN } from './world.ts';

const seconds = (): number => Math.floor(Date.now() / 1000);

/** A token that the issuer signed, with another header. */
const header = (name: string, change: (world: AttackWorld) => Claims): Attack =>
  token(name, (world) => world.token({}, change(world)));

/** A token of which a part is replaced. */
const forged = (name: string, parts: (world: AttackWorld, parts: [string, string, string]) => string): Attack =>
  token(name, (world) => {
    const [head = '', payload = '', signature = ''] = world.token().split('.');
    return parts(world, [head, payload, signature]);
  });

/** Headers and claims, and a signature of the attacker's making. */
const selfMade = (name: string, head: Claims, signature: (input: string, world: AttackWorld) => string): Attack =>
  token(name, (world) => {
    const input = `${encodePart({ typ: 'JWT', kid: world.issuer.signer.kid, ...head })}.${encodePart(world.claims())}`;
    return `${input}.${signature(input, world)}`;
  });

const hmac = (alg: string, input: string, key: string | Buffer): string =>
  createHmac(`sha${alg.slice(2)}`, key)
    .update(input)
    .digest('base64url');

const publicPem = (world: AttackWorld): string =>
  world.issuer.signer.publicKey.export({ type: 'spki', format: 'pem' }).toString();

const NO_IDENTITY: Attack[] = [
  { name: 'no token at all', status: 401, request: () => withHeaders() },
  { name: 'an empty Authorization header', status: 401, request: () => withHeaders(['authorization', '']) },
  { name: 'Bearer and nothing', status: 401, request: () => withHeaders(['authorization', 'Bearer ']) },
  { name: 'another scheme', status: 401, request: () => withHeaders(['authorization', 'Basic YWxpY2U6cGFzcw==']) },
  {
    name: 'a valid token under another scheme',
    status: 401,
    request: (world) => withHeaders(['authorization', `DPoP ${world.token()}`]),
  },
  {
    name: 'a valid token in the query',
    status: 401,
    request: (world) => ({
      ...withHeaders(),
      path: `/decode?access_token=${world.token()}&authorization=${world.token()}`,
    }),
  },
  {
    name: 'a valid token in the body',
    status: 401,
    request: (world) => ({
      ...withHeaders(),
      body: JSON.stringify({
        ...JSON.parse(world.body),
        authorization: `Bearer ${world.token()}`,
        token: world.token(),
      }),
    }),
  },
  {
    name: 'a valid token in a cookie',
    status: 401,
    request: (world) => withHeaders(['cookie', `authorization=Bearer ${world.token()}; token=${world.token()}`]),
  },
  {
    name: 'a valid token in headers that look alike',
    status: 401,
    request: (world) =>
      withHeaders(
        ['x-authorization', `Bearer ${world.token()}`],
        ['proxy-authorization', `Bearer ${world.token()}`],
        ['x-forwarded-access-token', world.token()],
        ['x-amzn-oidc-data', world.token()],
      ),
  },
  {
    name: 'an identity asserted by headers',
    status: 401,
    request: () =>
      withHeaders(
        ['x-forwarded-email', 'alice@acme.com'],
        ['x-forwarded-user', 'alice'],
        ['x-forwarded-for', '127.0.0.1'],
        ['x-real-ip', '::1'],
      ),
  },
  {
    name: 'an access token where the ID token belongs',
    status: 401,
    request: (world) => withHeaders(['authorization-extras', world.token()]),
  },
  {
    name: 'an ID token where the access token belongs',
    status: 401,
    request: (world) => bearer(world.token({ aud: 'web-ui' })),
  },
];

const MALFORMED: Attack[] = [
  ...['a', 'a.b', 'a.b.c', 'a.b.c.d', 'a.b.c.d.e', '..', '...', 'null', 'undefined', '{}', '[object Object]'].map(
    (text) => token(`the token ${text}`, () => text),
  ),
  forged('no signature part', (_, [head, payload]) => `${head}.${payload}`),
  forged('an empty signature', (_, [head, payload]) => `${head}.${payload}.`),
  forged('padding', (_, [head, payload, signature]) => `${head}=.${payload}.${signature}==`),
  forged('standard base64', (_, [head, payload, signature]) => `${head}.${payload}.${signature.slice(0, -2)}+/`),
  forged('white space inside', (_, [head, payload, signature]) => `${head}. ${payload}.${signature}`),
  forged('the token twice', (_, parts) => `${parts.join('.')}${parts.join('.')}`),
  forged('a header that is not an object', (_, [, payload, signature]) => `${encodePart([])}.${payload}.${signature}`),
  forged('a payload that is not an object', (_, [head, , signature]) => `${head}.${encodePart('x')}.${signature}`),
  forged('a payload that is not JSON', (_, [head, , signature]) => `${head}.bm8.${signature}`),
  token('a JWS in JSON serialization', (world) => {
    const [head, payload, signature] = world.token().split('.');
    return JSON.stringify({ protected: head, payload, signature });
  }),
  token('a token of 13 KB', (world) => world.token({ padding: 'x'.repeat(13_000) }), [401, 431]),
  {
    name: '64 KB of headers, which have to end in an answer that can be read',
    status: 431,
    request: (world) => withHeaders(['authorization', world.token()], ['x-large', 'x'.repeat(65_536)]),
  },
  token('a token of 100 KB', (world) => world.token({ padding: 'x'.repeat(100_000) }), [0, 400, 401, 413, 431]),
];

const ALGORITHMS: Attack[] = [
  ...['none', 'None', 'NONE', 'nOnE', ''].map((alg) =>
    selfMade(`alg ${JSON.stringify(alg)} without signature`, { alg }, () => ''),
  ),
  ...['none', 'NONE'].map((alg) => selfMade(`alg ${alg} with a signature`, { alg }, () => 'AAAA')),
  forged(
    'alg none over a valid signature',
    (_, [, payload, signature]) => `${encodePart({ alg: 'none' })}.${payload}.${signature}`,
  ),
  ...['HS256', 'HS384', 'HS512'].flatMap((alg) => [
    selfMade(`${alg} with the public key in PEM as the secret`, { alg }, (input, world) =>
      hmac(alg, input, publicPem(world)),
    ),
    selfMade(`${alg} with the public JWK as the secret`, { alg }, (input, world) =>
      hmac(alg, input, JSON.stringify(world.issuer.signer.jwk)),
    ),
    selfMade(`${alg} with the modulus as the secret`, { alg }, (input, world) =>
      hmac(alg, input, Buffer.from(String(world.issuer.signer.jwk.n), 'base64url')),
    ),
  ]),
  selfMade('HS256 with an empty secret', { alg: 'HS256' }, (input) => hmac('HS256', input, '')),
  ...['RS384', 'RS512'].map((alg) =>
    selfMade(`${alg}, which is not pinned, validly signed`, { alg }, (input, world) =>
      sign(`sha${alg.slice(2)}`, Buffer.from(input), world.issuer.signer.privateKey).toString('base64url'),
    ),
  ),
  selfMade('PS256 validly signed', { alg: 'PS256' }, (input, world) =>
    sign('sha256', Buffer.from(input), { key: world.issuer.signer.privateKey, padding: 6, saltLength: 32 }).toString(
      'base64url',
    ),
  ),
  token('ES256 by a key of the attacker’s', (world) => {
    const key = signingKeyOf(world.issuer.signer.kid, generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    return signToken(world.claims(), { alg: 'ES256' }, key);
  }),
  token('EdDSA by a key of the attacker’s', (world) => {
    const key = signingKeyOf(world.issuer.signer.kid, generateKeyPairSync('ed25519'));
    return signToken(world.claims(), { alg: 'EdDSA' }, key);
  }),
  forged(
    'no alg',
    (world, [, payload, signature]) => `${encodePart({ kid: world.issuer.signer.kid })}.${payload}.${signature}`,
  ),
  forged('alg as a list', (world, [, payload, signature]) => {
    const head = encodePart({ alg: ['RS256'], kid: world.issuer.signer.kid });
    return `${head}.${payload}.${signature}`;
  }),
];

const KEYS_IN_THE_HEADER: Attack[] = [
  token('an embedded key', (world) => signToken(world.claims(), { jwk: world.impostor.jwk }, world.impostor)),
  token('an embedded key under an id of its own', (world) =>
    signToken(world.claims(), { jwk: world.impostor.jwk, kid: 'mine' }, world.impostor),
  ),
  token('a remote key set in jku', (world) =>
    signToken(world.claims(), { jku: world.evil.jwksUri }, world.evil.signer),
  ),
  token('a remote certificate in x5u', (world) =>
    signToken(world.claims(), { x5u: `${world.evil.origin}/cert.pem` }, world.evil.signer),
  ),
  token('a certificate in x5c', (world) =>
    signToken(world.claims(), { x5c: [Buffer.from('cert').toString('base64')] }, world.impostor),
  ),
  ...[
    '../../dev/null',
    '/dev/null',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
    'https://evil.example/jwks.json',
    '%00',
  ].map((kid) => token(`the key id ${kid}`, (world) => signToken(world.claims(), { kid }, world.impostor))),
  header('no key id', () => ({ kid: undefined })),
  header('an empty key id', () => ({ kid: '' })),
  header('a key id of 10 KB', () => ({ kid: 'k'.repeat(10_000) })),
  header('a list of key ids', (world) => ({ kid: [world.issuer.signer.kid] })),
  header('crit naming what nobody knows', () => ({ crit: ['mfa'], mfa: true })),
  header('crit naming a registered claim', () => ({ crit: ['exp'] })),
  header('an empty crit', () => ({ crit: [] })),
  header('an unencoded payload (b64)', () => ({ b64: false, crit: ['b64'] })),
  header('b64 without crit', () => ({ b64: false })),
  ...['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JWE', ' JWT', ''].map((typ) =>
    header(`typ ${JSON.stringify(typ)}`, () => ({ typ })),
  ),
  header('typ as a list', () => ({ typ: ['JWT'] })),
];

const SIGNATURES: Attack[] = [
  token('signed by a key of the attacker’s with the id of the issuer’s', (world) =>
    signToken(world.claims(), {}, world.impostor),
  ),
  token('signed by a key that the issuer withdrew', (world) => signToken(world.claims(), {}, world.withdrawn)),
  token('signed by another issuer in the name of this one', (world) =>
    signToken(world.claims(), {}, world.evil.signer),
  ),
  forged('the signature of another token', (world, [head, payload]) => {
    const [, , other = ''] = world.token({ sub: 'another' }).split('.');
    return `${head}.${payload}.${other}`;
  }),
  forged(
    'the payload of another token',
    (world, [head, , signature]) => `${head}.${encodePart(world.claims({ sub: 'root' }))}.${signature}`,
  ),
  forged('the header of another token', (_, [head, payload, signature]) => {
    const changed = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), cty: 'x' };
    return `${encodePart(changed)}.${payload}.${signature}`;
  }),
  forged('a signature cut short', (_, [head, payload, signature]) => `${head}.${payload}.${signature.slice(0, -10)}`),
  forged('a signature made longer', (_, [head, payload, signature]) => `${head}.${payload}.${signature}AAAA`),
  forged(
    'a signature of zeros',
    (_, [head, payload]) => `${head}.${payload}.${Buffer.alloc(256).toString('base64url')}`,
  ),
  forged('a signature with one bit changed', (_, [head, payload, signature]) => {
    const bytes = Buffer.from(signature, 'base64url');
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    return `${head}.${payload}.${bytes.toString('base64url')}`;
  }),
];

const CLAIMS: Attack[] = [
  token('a perfect token of another issuer', (world) => world.evil.token({ email: 'alice@acme.com' })),
  claims('the issuer without its slash', (world) => ({ iss: world.issuer.origin })),
  claims('the issuer and more', (world) => ({ iss: `${world.issuer.issuer}evil` })),
  claims('a prefix of the issuer', (world) => ({ iss: world.issuer.issuer.slice(0, 12) })),
  claims('the issuer in capitals', (world) => ({ iss: world.issuer.issuer.toUpperCase() })),
  claims('the issuer as user of another host', (world) => ({ iss: `${world.issuer.origin}@evil.example/` })),
  claims('a list of issuers', (world) => ({ iss: [world.issuer.issuer] })),
  claims('no issuer', () => ({ iss: undefined })),
  claims('no audience', () => ({ aud: undefined })),
  claims('another audience', () => ({ aud: 'another' })),
  claims('a longer audience', () => ({ aud: 'codec-admin' })),
  claims('a shorter audience', () => ({ aud: 'code' })),
  claims('the audience in capitals', () => ({ aud: 'CODEC' })),
  claims('the audience with white space', () => ({ aud: ' codec' })),
  claims('audiences in one text', () => ({ aud: 'x codec' })),
  claims('a list of other audiences', () => ({ aud: ['a', 'b'] })),
  claims('a nested list of audiences', () => ({ aud: [['codec']] })),
  claims('an audience object', () => ({ aud: { codec: true } })),
  claims('an empty list of audiences', () => ({ aud: [] })),
  claims('expired', () => ({ exp: seconds() - 3600, iat: seconds() - 7200 })),
  claims('expired beyond the leeway', () => ({ exp: seconds() - 31 })),
  claims('expired in 1970', () => ({ exp: 0, iat: 0 })),
  claims('a negative expiry', () => ({ exp: -1, iat: -2 })),
  claims('no expiry', () => ({ exp: undefined })),
  claims('an expiry in milliseconds', () => ({ exp: Date.now() + 600_000 })),
  claims('an expiry in the year 9999', () => ({ exp: 253_402_300_799 })),
  claims('an expiry as text', () => ({ exp: String(seconds() + 600) })),
  claims('an expiry of null', () => ({ exp: null })),
  claims('not valid yet', () => ({ nbf: seconds() + 3600 })),
  claims('issued in the future', () => ({ iat: seconds() + 3600, exp: seconds() + 7200 })),
  claims('issued far in the future', () => ({ iat: 4_102_444_800, exp: 4_102_444_900 })),
  claims('issued after its expiry', () => ({ iat: seconds() + 20, exp: seconds() + 10 })),
  claims('no subject', () => ({ sub: undefined })),
  claims('an empty subject', () => ({ sub: '' })),
  claims('a subject of 5 KB', () => ({ sub: 's'.repeat(5_000) })),
  claims('a subject object', () => ({ sub: { $ne: null } })),
];

/** A perfect token of somebody who may not: 200, and the payload comes back as it went. */
const STRANGERS: Attack[] = [
  claims('a perfect token of another tenant', () => ({ email: 'mallory@evil.example' }), 200),
  claims('no email', () => ({ email: undefined }), 200),
  claims('an email that is not verified', () => ({ email_verified: false }), 200),
  claims('an email that is not verified, as text', () => ({ email_verified: 'false' }), 200),
  claims('a list of emails', () => ({ email: ['alice@acme.com'] }), 200),
  claims('two emails in one', () => ({ email: 'mallory@evil.example,alice@acme.com' }), 200),
  claims('a display name', () => ({ email: 'Alice <alice@acme.com>' }), 200),
  claims('an email with a space', () => ({ email: 'alice@acme.com ' }), 200),
  claims('an email with a newline', () => ({ email: 'alice@acme.com\n' }), 200),
  claims('an email with a NUL', () => ({ email: 'alice@acme.com\0' }), 200),
  claims('a homograph of an email', () => ({ email: '\u0430lice@acme.com' }), 200),
  claims('an email in full-width letters', () => ({ email: '\uff41lice@acme.com' }), 200),
  claims('an email whose case folds to the right one', () => ({ email: 'al\u0131ce@acme.com' }), 200),
  claims('an email with a zero-width space', () => ({ email: 'alice\u200b@acme.com' }), 200),
  claims('a subdomain of the team’s', () => ({ email: 'x@a.team.acme.com' }), 200),
  claims('a domain that ends like the team’s', () => ({ email: 'x@evilteam.acme.com' }), 200),
  claims('a domain that starts like the team’s', () => ({ email: 'x@team.acme.com.evil.example' }), 200),
  claims('the team’s domain in front of the at sign', () => ({ email: 'team.acme.com@evil.example' }), 200),
  claims('two at signs', () => ({ email: 'x@evil.example@team.acme.com' }), 200),
  claims('a quoted local part', () => ({ email: '"x@evil.example"@team.acme.com' }), 200),
  claims(
    'the right email in other claims',
    () => ({ email: undefined, preferred_username: 'alice@acme.com', upn: 'alice@acme.com' }),
    200,
  ),
  claims('the right email as the subject', () => ({ email: undefined, sub: 'alice@acme.com' }), 200),
  ...[
    ['billing:read'],
    ['orders'],
    ['orders:'],
    ['*:read'],
    ['{namespace}:read'],
    ['ORDERS:read'],
    ['orders:read '],
    [['orders:read']],
    ['orders:reader'],
    ['xorders:read'],
  ].map((permissions) =>
    claims(
      `the permissions ${JSON.stringify(permissions)}`,
      () => ({ email: 'mallory@evil.example', permissions }),
      200,
    ),
  ),
  claims('permissions in one text', () => ({ email: undefined, permissions: 'orders:read billing:read' }), 200),
  claims(
    'permissions as an object',
    () => ({ email: undefined, permissions: { 'orders:read': true, 0: 'orders:read' } }),
    200,
  ),
  {
    name: 'a stranger in a browser, who is told why',
    status: 200,
    request: (world) =>
      withHeaders(['authorization', `Bearer ${world.token({ email: 'mallory@evil.example' })}`], ['origin', ORIGIN]),
  },
];

/** A perfect token of another company's issuer, which is believed about its own people alone. */
const partner = (name: string, change: Claims): Attack =>
  token(name, (world) => world.partner.token({ email: 'mallory@partner.example', ...change }), 200);

const OTHER_ISSUERS: Attack[] = [
  partner('another trusted issuer’s token with an email of the team’s', { email: 'alice@acme.com' }),
  partner('another trusted issuer’s token with an email of the team’s domain', { email: 'x@team.acme.com' }),
  partner('another trusted issuer’s token with permissions', { permissions: ['orders:read'] }),
  partner('another trusted issuer’s token of somebody who has a role', { email: 'dora@acme.com' }),
];

const TWO_TOKENS: Attack[] = [
  {
    name: 'two Authorization headers, the good one first',
    status: 401,
    request: (world) => withHeaders(['authorization', world.token()], ['authorization', 'Bearer x']),
  },
  {
    name: 'two Authorization headers, the good one last',
    status: 401,
    request: (world) => withHeaders(['authorization', 'Bearer x'], ['Authorization', world.token()]),
  },
  {
    name: 'the same good token twice',
    status: 401,
    request: (world) => {
      const good = world.token();
      return withHeaders(['authorization', good], ['AUTHORIZATION', good]);
    },
  },
  {
    name: 'two tokens joined by a comma',
    status: 401,
    request: (world) => bearer(`${world.token()}, ${world.token()}`),
  },
  {
    name: 'two tokens joined by a space',
    status: 401,
    request: (world) => bearer(`${world.token()} ${world.token()}`),
  },
  {
    name: 'two Authorization-Extras',
    status: 401,
    request: (world) =>
      withHeaders(['authorization-extras', world.token({ aud: 'web-ui' })], ['authorization-extras', 'x']),
  },
  {
    name: 'an expired access token beside a good ID token',
    status: 401,
    request: (world) =>
      withHeaders(
        ['authorization', world.token({ exp: seconds() - 60 })],
        ['authorization-extras', world.token({ aud: 'web-ui' })],
      ),
  },
  {
    name: 'a forged access token beside a good ID token',
    status: 401,
    request: (world) =>
      withHeaders(
        ['authorization', signToken(world.claims(), {}, world.impostor)],
        ['authorization-extras', world.token({ aud: 'web-ui' })],
      ),
  },
  {
    name: 'a stranger’s access token beside a good ID token',
    status: 200,
    request: (world) =>
      withHeaders(
        ['authorization', world.token({ email: 'mallory@evil.example' })],
        ['authorization-extras', world.token({ aud: 'web-ui' })],
      ),
  },
  {
    name: 'an opaque access token beside a forged ID token',
    status: 401,
    request: (world) =>
      withHeaders(
        ['authorization', 'Bearer opaque'],
        ['authorization-extras', signToken(world.claims({ aud: 'web-ui' }), {}, world.impostor)],
      ),
  },
];

const SERVICE_TOKENS: Attack[] = [
  token('a service token that nobody made', () => makeServiceToken('reader').token),
  token('the digest of a service token', (world) => world.reader.entry.sha256),
  token('the digest as a service token', (world) => `codec_${world.reader.entry.sha256.slice(0, 43)}`),
  token('the name of a service token', () => 'reader'),
  token('the prefix alone', () => 'codec_'),
  token('a service token cut short', (world) => world.reader.token.slice(0, -1)),
  token('a service token made longer', (world) => `${world.reader.token}A`),
  token('a service token in capitals', (world) => world.reader.token.toUpperCase()),
  token('a service token that expired', (world) => world.expired.token),
  {
    name: 'a service token in Authorization-Extras',
    status: 401,
    request: (world) => withHeaders(['authorization-extras', world.reader.token]),
  },
  {
    name: 'a service token that may only encode',
    status: 200,
    request: (world) => bearer(world.writer.token),
  },
];

const path = (method: string, path: string, status: Attack['status']): Attack => ({
  name: `${method} ${path} without a token`,
  status,
  request: () => ({ ...withHeaders(), method, path }),
});

const PATHS: Attack[] = [
  path('POST', '/decode?x=/encode', 401),
  path('POST', '/encode?x=/decode', 401),
  path('POST', '/encode/../decode', 401),
  path('POST', '/decode/../encode', 401),
  path('POST', '//decode', 401),
  path('POST', '/decode/', 401),
  path('POST', '/orders/decode', 401),
  path('POST', '/healthz/decode', 401),
  path('POST', '/decode?/healthz', 401),
  path('POST', '/decode/healthz', 405),
  path('POST', '/decode/..', 404),
  path('POST', '/decode%2f..', 404),
  path('POST', '/%64ecode', 404),
  path('POST', '/decode%00', 404),
  path('POST', '/decode;jsessionid=1', 404),
  path('POST', '/DECODE', 404),
  path('POST', '/decode.json', 404),
  path('POST', '/', 404),
  path('GET', '/decode', 405),
  path('PUT', '/decode', 405),
  path('DELETE', '/decode', 405),
  path('HEAD', '/decode', 405),
  path('POST', '/download', [401, 404]),
  {
    name: 'a method override',
    status: 401,
    request: () =>
      withHeaders(['x-http-method-override', 'GET'], ['x-original-url', '/healthz'], ['x-rewrite-url', '/healthz']),
  },
  {
    name: 'a preflight with a body',
    status: [204, 403],
    request: () => ({
      ...withHeaders(['origin', ORIGIN], ['access-control-request-method', 'POST']),
      method: 'OPTIONS',
    }),
  },
  {
    name: 'a valid token from a foreign origin',
    status: 403,
    request: (world) => withHeaders(['authorization', world.token()], ['origin', 'https://evil.example']),
  },
  {
    name: 'a valid token from the null origin',
    status: 403,
    request: (world) => withHeaders(['authorization', world.token()], ['origin', 'null']),
  },
  {
    name: 'a valid token from an origin that starts like the right one',
    status: 403,
    request: (world) => withHeaders(['authorization', world.token()], ['origin', `${ORIGIN}.evil.example`]),
  },
  {
    name: 'a form that a page could send without a preflight',
    status: 415,
    request: (world) => ({
      headers: [
        ['content-type', 'text/plain'],
        ['x-namespace', 'orders'],
        ['authorization', world.token()],
      ],
    }),
  },
];

const ENCODING: Attack[] = [
  { name: 'encode without a token', status: 401, request: () => ({ ...withHeaders(), path: '/encode' }) },
  {
    name: 'encode by someone who may decode',
    status: 403,
    request: (world) => ({ ...bearer(world.token()), path: '/encode' }),
  },
  {
    name: 'encode by a service token that may decode',
    status: 403,
    request: (world) => ({ ...bearer(world.reader.token), path: '/encode' }),
  },
  {
    name: 'encode for another namespace',
    status: 403,
    request: (world) => ({
      path: '/encode',
      headers: [
        ['content-type', 'application/json'],
        ['x-namespace', 'billing'],
        ['authorization', world.token()],
      ],
    }),
  },
];

export const ATTACKS: readonly Attack[] = [
  ...NO_IDENTITY,
  ...MALFORMED,
  ...ALGORITHMS,
  ...KEYS_IN_THE_HEADER,
  ...SIGNATURES,
  ...CLAIMS,
  ...STRANGERS,
  ...OTHER_ISSUERS,
  ...PAYLOAD_ATTACKS,
  ...TWO_TOKENS,
  ...SERVICE_TOKENS,
  ...PATHS,
  ...ENCODING,
];
