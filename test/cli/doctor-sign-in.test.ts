/** What the doctor sees of a server where people sign in. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../cli/doctor/report.ts';
import { examineSignIn } from '../../cli/doctor/sign-in.ts';
import { testCertificate } from '../support/https-stand-in.ts';
import { SignInWorld, UI_ORIGIN } from '../support/sign-in-world.ts';

const ENDPOINT = 'https://codec.example.com';
const STATUS_PAGE = '<!doctype html><title>Codec server</title>';
const LOGIN = {
  location: 'https://login.example.com/auth?client_id=c&state=s&nonce=n&code_challenge=x',
  'set-cookie': '__Host-x=y; Path=/; Secure; HttpOnly; SameSite=Lax',
};

describe('the doctor, of a sign-in', () => {
  interface Patient {
    readonly origin?: string;
    readonly credentials?: boolean;
    readonly status?: number;
    readonly login?: number;
    readonly headers?: Readonly<Record<string, string>>;
  }

  function check({ origin, credentials = true, status = 200, login = 303, headers = LOGIN }: Patient) {
    const answer = (code: number, sent: Readonly<Record<string, string>>, body = '') =>
      Promise.resolve({ status: code, headers: sent, body, milliseconds: 1 });
    return examineSignIn({
      options: {
        endpoint: new URL(ENDPOINT),
        namespace: 'default',
        token: undefined,
        origin: origin ?? 'https://temporal.example.com',
      },
      preflight: () => answer(204, credentials ? { 'access-control-allow-credentials': 'true' } : {}),
      page: (path) => (path === '/' ? answer(status, {}, STATUS_PAGE) : answer(login, headers)),
    });
  }

  it.each<[string, Patient, Finding['status'], string]>([
    ['in order', {}, 'ok', `people sign in at ${ENDPOINT}/login`],
    ['that there is none', { status: 404, credentials: false }, 'skipped', 'callers bring tokens'],
    ['that is not ours', { status: 404 }, 'ok', 'of another server'],
    ['whose cookies no browser may send', { credentials: false }, 'failure', 'may not send their session'],
    ['whose provider is out', { login: 503 }, 'warning', 'nobody can sign in at the moment'],
    ['that leads nowhere', { login: 404 }, 'failure', 'it gets a 404'],
    [
      'over plain http',
      { headers: { ...LOGIN, location: 'http://login/' } },
      'failure',
      'does not redirect to an https address',
    ],
    [
      'without PKCE',
      { headers: { ...LOGIN, location: 'https://a/?client_id=c&state=s&nonce=n' } },
      'failure',
      'code_challenge',
    ],
    ['whose cookie scripts can read', { headers: { ...LOGIN, 'set-cookie': 'x=y; Secure' } }, 'failure', 'HttpOnly'],
    ['of another site', { origin: 'https://cloud.temporal.io' }, 'warning', 'third-party'],
    ['of another scheme', { origin: 'http://temporal.example.com' }, 'warning', 'third-party'],
  ])('says what is so: one %s', async (_, patient, status, words) => {
    const finding = await check(patient);
    expect(finding.status).toBe(status);
    expect(JSON.stringify(finding)).toContain(words);
    const isWrong = status === 'failure' || status === 'warning';
    expect([Boolean(finding.cause), Boolean(finding.fix)]).toEqual([isWrong, isWrong]);
  });

  describe('of the real server', () => {
    let world: SignInWorld;

    beforeAll(async () => {
      world = await SignInWorld.start();
    });

    afterAll(() => world.close());

    /** A process of its own, which trusts the certificate of the test. */
    function examine(...options: string[]): Promise<Finding[]> {
      const trusted = join(world.folder, 'trusted.pem');
      writeFileSync(trusted, testCertificate().cert);
      const argv = ['bin/codec-server.ts', 'doctor', world.publicUrl, '--json', '--origin', UI_ORIGIN, ...options];
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted };
      return new Promise((resolve) => {
        execFile(process.execPath, argv, { env }, (_, stdout) => resolve(JSON.parse(stdout).findings as Finding[]));
      });
    }

    it('recognizes it, and finds nothing wrong but the other site', async () => {
      const token = world.writer.token;
      const findings = await examine('--token', token, '--namespace', 'orders');
      const of = (check: string) => findings.find((finding) => finding.check === check);
      expect(of('sign-in')).toMatchObject({ status: 'warning', cause: expect.stringContaining('third-party') });
      expect(of('anonymous')).toMatchObject({ status: 'ok' });
      expect(JSON.stringify(findings)).not.toContain(token);
    });
  });
});
