/** A certificate for this machine's own names, made anew for each run and trusted by nobody who was not told to. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTestCertificate } from '../../support/certificate.ts';
import { artifactRoot } from './paths.ts';

/** A certificate and its key, as PEM text and as the files that hold it. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A self-signed certificate for `localhost` and the loopback addresses. */
export function selfSignedCertificate(): Certificate {
  mkdirSync(artifactRoot, { recursive: true });
  const directory = mkdtempSync(join(artifactRoot, 'certificate-'));
  const certFile = join(directory, 'cert.pem');
  const keyFile = join(directory, 'key.pem');
  const { cert, key } = makeTestCertificate();
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return { cert, key, certFile, keyFile };
}
