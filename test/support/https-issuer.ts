/**
 * A token issuer on loopback HTTPS: it publishes a key set, signs tokens, and can be told to rotate
 * its keys, to go down, to be slow, to talk nonsense. It counts fetches of the key set.
 */
import { generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { HttpsStandIn } from './https-stand-in.ts';

/** A signing key of an issuer. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey & { kid: string };
}

/** Making RSA keys takes a quarter of a second each, so tests share a few. */
const rsaPool: { publicKey: KeyObject; privateKey: KeyObject }[] = [];
let nextKey = 0;

/** A fresh key id over one of three RSA keys of this process. */
export function makeSigningKey(kid = `key-${++nextKey}`): SigningKey {
  if (rsaPool.length < 3) rsaPool.push(generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const pair = rsaPool[nextKey % rsaPool.length] ?? generateKeyPairSync('rsa', { modulusLength: 2048 });
  return signingKeyOf(kid, pair, 'RS256');
}

/** Wraps a key pair of any type. */
export function signingKeyOf(
  kid: string,
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
  alg?: string,
): SigningKey {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...(alg === undefined ? {} : { alg }) };
  return { kid, privateKey, publicKey, jwk };
}

export class HttpsIssuer extends HttpsStandIn {
  /** The published keys; what a test puts here is what the key set holds. */
  published: (JsonWebKey & { kid?: string })[] = [];
  /** The key that signs. */
  signer: SigningKey;

  private constructor() {
    super((_, url) => {
      if (url.pathname === '/.well-known/jwks.json') return { status: 200, body: { keys: this.published } };
      return { status: 404, body: {} };
    });
    this.signer = makeSigningKey();
    this.published = [this.signer.jwk];
  }

  static async start(): Promise<HttpsIssuer> {
    const issuer = new HttpsIssuer();
    await issuer.listen();
    return issuer;
  }

  /** The `iss` of its tokens, with its trailing slash. */
  get issuer(): string {
    return `${this.origin}/`;
  }

  get jwksUri(): string {
    return `${this.origin}/.well-known/jwks.json`;
  }

  /** Makes a new signing key and publishes it, beside the old ones or instead of them. */
  rotate(options: { readonly keepOld: boolean } = { keepOld: true }): SigningKey {
    this.signer = makeSigningKey();
    this.published = options.keepOld ? [...this.published, this.signer.jwk] : [this.signer.jwk];
    return this.signer;
  }

  /** A valid token; claims that are `undefined` are left out. */
  token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const standard = { iss: this.issuer, sub: 'user|alice', aud: 'codec', iat: now - 60, exp: now + 600 };
    return signToken({ ...standard, ...claims }, { ...header }, this.signer);
  }
}

/** Signs a token with RS256 unless the header says otherwise. */
export function signToken(claims: Record<string, unknown>, header: Record<string, unknown>, key: SigningKey): string {
  const full = { alg: 'RS256', typ: 'JWT', kid: key.kid, ...header };
  const input = `${encodePart(full)}.${encodePart(claims)}`;
  return `${input}.${signatureOf(input, String(full.alg), key.privateKey)}`;
}

/** A part of a token. */
export function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signatureOf(input: string, alg: string, key: KeyObject): string {
  const digest = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;
  return sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}
