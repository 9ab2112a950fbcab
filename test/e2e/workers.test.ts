/** Workers and clients in four languages, each encrypting by itself, with one keyring between them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Peer, peers } from './support/peers.ts';
import { type Running, run, start } from './support/processes.ts';
import { runSdkProgram } from './support/sdk-programs.ts';
import { NAMESPACE, type Stage, setStage, storedText, TASK_QUEUE } from './support/stage.ts';
import { temporalCli } from './support/tools.ts';
import { versions } from './support/versions.ts';

describe('Workers and clients that encrypt by themselves', () => {
  let stage: Stage;
  const workers: Running[] = [];
  const commands = new Map<string, readonly [program: string, ...args: string[]]>();

  before(async () => {
    stage = await setStage();
    for (const peer of peers) {
      const command = await peer.command();
      commands.set(peer.language, command);
      workers.push(await startPeer(command, peer));
    }
  });
  after(async () => {
    for (const worker of workers) await worker.stop();
    await stage?.stop();
  });

  const where = (taskQueue: string): string[] => [
    stage.temporal.address,
    NAMESPACE,
    taskQueue,
    stage.codecServer.keyringFile,
  ];
  const startPeer = async ([program, ...args]: readonly [string, ...string[]], { language }: Peer) =>
    await start(program, [...args, 'worker', ...where(language)], { ready: 'ready', keepInput: true });

  /** Has a client in one language start a workflow of a worker in another. @returns the result as the client reads it */
  const relay = async (from: string, taskQueue: string, workflowId: string): Promise<unknown> => {
    const message = { from, secret: `secret of ${from}` };
    const command = commands.get(from);
    if (command === undefined) {
      return await stage.client.workflow.execute('relay', { taskQueue, workflowId, args: [message] });
    }
    const [program, ...args] = command;
    const own = ['start', ...where(taskQueue), workflowId, JSON.stringify(message)];
    const outcome = await runSdkProgram(program, [...args, ...own]);
    assert.equal(outcome.code, 0, outcome.stderr);
    return JSON.parse(outcome.stdout);
  };

  const languages = [
    { language: 'TypeScript', name: `TypeScript SDK ${versions.typescriptSdk}`, taskQueue: TASK_QUEUE },
    ...peers.map(({ language, name }) => ({ language, name, taskQueue: language })),
  ];
  for (const from of languages) {
    for (const to of languages) {
      it(`a client of the ${from.name} and a worker of the ${to.name} read each other`, async () => {
        const workflowId = `${from.language}-to-${to.language}`;
        const result = await relay(from.language, to.taskQueue, workflowId);
        const stamped = `secret of ${from.language} seen by ${to.language}`;
        assert.deepEqual(result, { by: to.language, received: from.language, stamped });
        const stored = await storedText(stage.client.workflow.getHandle(workflowId));
        assert.ok(!stored.includes('secret of'), 'something is stored that can be read');
        assert.ok(stored.includes('binary/aws-encryption-sdk'));
      });
    }
  }

  for (const { language, name } of languages) {
    it(`the codec server decodes what the ${name} wrote`, async () => {
      const program = await temporalCli();
      const id = `${language}-to-${language}`;
      const codec = ['--codec-endpoint', stage.recorder.origin];
      const show = ['--address', stage.temporal.address, '-n', NAMESPACE, 'workflow', 'show', '-w', id, ...codec];
      const { stdout, code } = await run(program, [...show, '-o', 'json']);
      assert.equal(code, 0);
      const plain = stdout.replaceAll(/"data": ?"([^"]*)"/g, (_, data: string) =>
        Buffer.from(data, 'base64').toString(),
      );
      assert.ok(plain.includes(`secret of ${language} seen by ${language}`), plain.slice(0, 2000));
    });
  }
});
