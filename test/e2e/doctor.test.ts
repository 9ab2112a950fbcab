/** `codec-server doctor` against servers of others: what it says of the Go SDK's own handler has to be so. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CodecServer, startCodecServer } from './support/codec-server.ts';
import { projectRoot, suiteRoot } from './support/paths.ts';
import { type Running, run, start } from './support/processes.ts';
import { startTemporal, type Temporal } from './support/temporal.ts';
import { goPeer } from './support/tools.ts';
import { versionOfGoModule } from './support/versions.ts';

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly summary: string;
  readonly cause?: string;
}

/** Examines a server as `npm run codec-server -- doctor URL --json` does. */
async function examine(url: string, ...options: string[]): Promise<{ code: number | null; findings: Finding[] }> {
  const program = join(projectRoot, 'bin/codec-server.ts');
  const { code, stdout } = await run(process.execPath, [program, 'doctor', url, '--json', ...options]);
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

/** What is wrong; that a server is slow is of the machine that it runs on, and of what else runs there. */
const wrong = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ check, status }) => status === 'failure' || (status === 'warning' && check !== 'latency'))
    .map(({ check, status }) => `${status} ${check}`);

describe('codec-server doctor', () => {
  let ours: CodecServer;
  before(async () => {
    ours = await startCodecServer({ origins: ['https://cloud.temporal.io'] });
  });
  after(() => ours?.stop());

  it('finds our local server in order, and says that it asks nobody', async () => {
    const { code, findings } = await examine(ours.origin);
    assert.deepEqual(wrong(findings), ['warning anonymous']);
    assert.equal(code, 0);
  });

  describe('asked about a namespace of a real server', () => {
    let temporal: Temporal;
    before(async () => {
      temporal = await startTemporal(['default']);
    });
    after(() => temporal?.stop());

    it('shows its limits, and how much of them encryption leaves', async () => {
      const { findings } = await examine(ours.origin, '--address', temporal.address);
      const limits = findings.find(({ check }) => check === 'limits');
      assert.equal(limits?.status, 'ok', JSON.stringify(limits));
      assert.match(
        limits?.summary ?? '',
        /^default takes payloads of 2097152 bytes, memos of 2097152; encryption adds \d{3} to each payload, and the largest comes back$/,
      );
    });
  });
});

describe(`codec-server doctor on the Go SDK ${versionOfGoModule(join(suiteRoot, 'peers/go/go.mod'), 'go.temporal.io/sdk')}, NewPayloadCodecHTTPHandler`, () => {
  let go: Running;
  let url: string;
  before(async () => {
    go = await start(await goPeer(), ['serve'], { ready: /http:\S+(?=\n)/ });
    url = /http:\S+/.exec(go.output())?.[0] ?? '';
  });
  after(() => go?.stop());

  it('names what it lacks, and nothing that it has', async () => {
    const { code, findings } = await examine(url);
    assert.equal(code, 1);
    assert.deepEqual(wrong(findings), [
      'failure cors-preflight',
      'warning foreign-origin',
      'warning no-store',
      'warning anonymous',
      'failure round-trip',
      'warning tolerance',
      'warning sizes',
    ]);
    const of = (check: string) => findings.find((finding) => finding.check === check);
    assert.match(of('cors-preflight')?.summary ?? '', /gets a 404/);
    assert.match(of('round-trip')?.cause ?? '', /snake_case/);
    assert.match(of('tolerance')?.summary ?? '', /a null payload/);
    assert.equal(of('answer-form')?.status, 'ok');
    assert.match(of('latency')?.summary ?? '', /first \S+ ms, then \S+ ms, 20 at once \S+ ms/);
  });
});
