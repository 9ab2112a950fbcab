import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');

/** What people come with, and the page and heading that answers it. */
const QUESTIONS: readonly (readonly [question: string, page: string, heading: RegExp])[] = [
  ['Run it on my machine', 'README.md', /^## Try it/],
  ['Deploy it', 'docs/deploy.md', /^## 4\. Deploy/],
  ['Where do I paste the URL?', 'docs/deploy.md', /^## 6\. Tell the Namespace/],
  ['Connect a worker', 'README.md', /^## Connect your workers/],
  ['Give a colleague read access', 'docs/recipes.md', /^## Give a colleague read access/],
  ['Add a second namespace', 'docs/recipes.md', /^## Add a second namespace/],
  ['Add a staging environment', 'docs/recipes.md', /^## Add an environment/],
  ['Use the CLI with a token', 'docs/recipes.md', /^## Use the CLI with a token/],
  ['Call another namespace with Nexus', 'docs/recipes.md', /^## Call another namespace with Nexus/],
  ['Why does the Web UI show ciphertext?', 'docs/troubleshooting.md', /^## What the Web UI shows/],
  ['What does a 401 mean?', 'docs/troubleshooting.md', /^## What the browser's network view shows/],
  ['What does the worker tell me?', 'docs/troubleshooting.md', /^## What the worker says/],
  ['A KMS key is disabled: what do workers see?', 'docs/troubleshooting.md', /^## When a KMS key is disabled/],
  ['Rotate a key', 'docs/rotate-keys.md', /^## KMS/],
  ['Retire a key', 'docs/rotate-keys.md', /^## Retire a key/],
  ['Revoke a right now', 'docs/operate.md', /^## Take a right away now/],
  ['An alarm went off', 'docs/operate.md', /^## Alarms/],
  ['Who read what?', 'docs/audit.md', /^# /],
  ['Move from another codec', 'docs/migrate.md', /^## 3\. Move the workers/],
  ['Upgrade', 'docs/upgrade.md', /^## Upgrade/],
  ['Roll back', 'docs/upgrade.md', /^## Roll back/],
  ['Try tokens and rules locally', 'docs/local-https.md', /^# /],
  ['Read payloads in S3', 'docs/external-storage.md', /^## Who may read what/],
  ['What does it cost?', 'docs/cost.md', /^# /],
  ['What does it promise?', 'docs/security.md', /^## Promises/],
];

describe('a reader finds', () => {
  it.each(QUESTIONS)('%s: %s', (_, page, heading) => {
    const headings = readFileSync(join(ROOT, page), 'utf8')
      .split('\n')
      .filter((line) => heading.test(line));
    expect(headings).toHaveLength(1);
  });
});
