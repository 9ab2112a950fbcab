/** A Web UI that people sign in to, and browsers in which they have. */
import type { Chromium } from './browser.ts';
import type { Certificate } from './certificates.ts';
import { CLIENT_ID, type SignInIssuer } from './sign-in-issuer.ts';
import type { Temporal, WebUISettings } from './temporal.ts';
import { type WebUI, webUI } from './web-ui.ts';

/** What a Web UI with sign-in needs to know. */
export interface SignInWebUIOptions {
  readonly issuer: SignInIssuer;
  /** The issuer's, which the Web UI's server has to trust. */
  readonly certificate: Certificate;
  /** Where it listens; its origin has to be known before it starts. */
  readonly port: number;
  readonly codec: NonNullable<WebUISettings['codec']>;
}

/** Starts a Web UI that asks the issuer who people are. @returns its origin */
export async function startSignInWebUI(temporal: Temporal, options: SignInWebUIOptions): Promise<string> {
  const { issuer, certificate, port, codec } = options;
  const provider = {
    label: 'the test issuer',
    type: 'oidc',
    providerUrl: issuer.issuer,
    clientId: CLIENT_ID,
    clientSecret: 'not-checked',
    scopes: ['openid', 'profile', 'email'],
    callbackUrl: `http://localhost:${port}/auth/sso/callback`,
  };
  const settings = { codec, auth: { enabled: true, providers: [provider] } };
  return await temporal.webUI(settings, { SSL_CERT_FILE: certificate.certFile }, port);
}

/** Signs somebody in, with a browser that was never used before, and has them use the Web UI. */
export async function signInAs(
  person: Readonly<Record<string, unknown>>,
  { chromium, issuer, origin }: { chromium: Chromium; issuer: SignInIssuer; origin: string },
  use: (ui: WebUI) => Promise<void>,
): Promise<void> {
  issuer.person = person;
  const context = await chromium.newContext({ ignoreHTTPSErrors: true });
  try {
    const page = await context.newPage();
    await page.goto(`${origin}/auth/sso`);
    await page.waitForURL((url) => url.origin === origin && !url.pathname.startsWith('/auth'));
    await use(webUI(page, origin));
  } finally {
    await context.close();
  }
}
