/**
 * Everything in a namespace in which Temporal keeps payloads, read once, with the proof that it was
 * everything: counts agree with lists, histories have every event, no call failed.
 */
import { walkWire } from '../histories/wire.ts';
import type { Checkpoint } from './checkpoint.ts';
import { GRPC, GrpcError } from './grpc-client.ts';
import { addStretch, type KeyNeeds, type Needs, noNeeds, type PlaceKind } from './key-usage.ts';
import { type Field, MalformedAnswerError, Message, message } from './protobuf.ts';
import { sideBySide, type TemporalApi } from './temporal-api.ts';

/** What an inventory says beside the keys. */
export interface InventoryReport {
  /** Point in time that it is of: what began later is not in it. */
  readonly asOf: Date;
  readonly retentionDays: number;
  /** Closed workflows that an earlier run read. */
  readonly fromState: number;
  /** Why it is not a proof, a sentence each; empty when it is one. */
  readonly missing: readonly string[];
}

/** Told how far it is. */
export type OnCount = (kind: string, done: number, of: number) => void;

const PAGE = 1_000;
const EVENTS_PAGE = 1_000;
const AT_A_TIME = 16;
const DAY_MS = 86_400_000;
/** By which the clock here may lag without a word: the report names its time. */
const LARGEST_LAG_MS = 60_000;
/** As `Message.number` of `google.protobuf.Duration`. */
const ARCHIVAL_ENABLED = 2;
const SCHEDULER = 'temporal-sys-scheduler:';
const SYSTEM = 'TemporalNamespaceDivision IS NOT NULL';
/** Sentences about what is missing that are kept of one kind. */
const MOST_SENTENCES = 20;

interface Workflow {
  readonly info: Buffer;
  readonly id: string;
  readonly run: string;
  readonly closed: number | undefined;
  readonly events: number;
  readonly isSystem: boolean;
}

/** Reads a namespace. */
export class Inventory {
  readonly #api: TemporalApi;
  readonly #namespace: string;
  readonly #usage: KeyNeeds;
  readonly #checkpoint: Checkpoint;
  readonly #onCount: OnCount;
  readonly #asOf: Date;
  /** Of every list: the namespace, and how many a page has. */
  readonly #paged: readonly Field[];
  readonly #missing: string[] = [];
  /** Listed among workflows and none: standalone activities and such, which have to be found as what they are. */
  readonly #noWorkflows: Workflow[] = [];
  readonly #described = new Set<string>();
  #more = 0;
  #retentionMs = 0;

  constructor(
    api: TemporalApi,
    namespace: string,
    usage: KeyNeeds,
    { checkpoint, onCount, now = new Date() }: { checkpoint: Checkpoint; onCount: OnCount; now?: Date },
  ) {
    this.#api = api;
    this.#namespace = namespace;
    this.#paged = [
      [1, namespace],
      [2, PAGE],
    ];
    this.#usage = usage;
    this.#checkpoint = checkpoint;
    this.#onCount = onCount;
    this.#asOf = now;
  }

  /** @throws GrpcError when the namespace itself cannot be read */
  async read(): Promise<InventoryReport> {
    await this.#namespaceItself();
    await this.#clock();
    const workflows = [...(await this.#workflows(false)), ...(await this.#workflows(true))];
    await this.#histories(workflows);
    await this.#schedules(
      workflows.filter(({ id, closed }) => id.startsWith(SCHEDULER) && closed === undefined).length,
    );
    await this.#standalone('activity', 'ActivityExecution', {
      describe: [
        [4, 5, 7, 8],
        [1, 2],
      ],
      close: 5,
    });
    await this.#standalone('Nexus operation', 'NexusOperationExecution', {
      describe: [
        [4, 5],
        [1, 2],
      ],
      close: 7,
    });
    this.#checkOthers();
    await this.#workerDeployments();
    await this.#endpoints();
    this.#checkpoint.flush();
    const missing = this.#more > 0 ? [...this.#missing, `and ${this.#more} more of these`] : this.#missing;
    const retentionDays = this.#retentionMs / DAY_MS;
    return { asOf: this.#asOf, retentionDays, fromState: this.#checkpoint.used, missing };
  }

  #lacks(sentence: string): void {
    if (this.#missing.length < MOST_SENTENCES) this.#missing.push(sentence);
    else this.#more++;
  }

  /** Runs a part; its failing is told, and the rest goes on. */
  async #part(what: string, work: () => Promise<void>, isOptional = false): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof MalformedAnswerError) return this.#lacks(`${what}: ${error.message}`);
      if (!(error instanceof GrpcError)) throw error;
      // A server that does not know a kind of thing has none of it.
      if (isOptional && error.code === GRPC.unimplemented) return;
      this.#lacks(`${what}: the call was refused (gRPC code ${error.code}: ${error.message.slice(0, 200)})`);
    }
  }

  async #namespaceItself(): Promise<void> {
    const { message: answer } = await this.#api.call('DescribeNamespace', message([1, this.#namespace]));
    const config = answer.message(2);
    this.#retentionMs = config.milliseconds(1) ?? 0;
    if (config.number(3) === ARCHIVAL_ENABLED)
      this.#lacks(`archived histories at ${config.text(4) || 'the archive of the namespace'} were not read`);
  }

  /** What began after now, by the server's clock, is not looked for: a clock that lags here would hide it. */
  async #clock(): Promise<void> {
    await this.#part('the clock of the server', async () => {
      const query = `StartTime > "${new Date(this.#asOf.getTime() + LARGEST_LAG_MS).toISOString()}"`;
      const { message: answer } = await this.#api.call(
        'CountWorkflowExecutions',
        message([1, this.#namespace], [2, query]),
      );
      const later = answer.number(1);
      if (later > 0) this.#lacks(`${later} of the workflows began after now, as this machine knows it: its clock lags`);
    });
  }

  /** Every run that began before now, once, with the proof that the list is whole. */
  async #workflows(isSystem: boolean): Promise<Workflow[]> {
    const query = `StartTime <= "${this.#asOf.toISOString()}"${isSystem ? ` AND ${SYSTEM}` : ''}`;
    const what = isSystem ? 'system workflows' : 'workflows';
    const found = new Map<string, Workflow>();
    await this.#part(what, async () => {
      const pages = this.#api.pages('ListWorkflowExecutions', [...this.#paged, [4, query]], [3, 2]);
      for await (const { message: page } of pages) {
        for (const info of page.all(1)) {
          const it = new Message(info);
          const execution = it.message(1);
          const run = execution.text(2);
          found.set(run, {
            info,
            run,
            id: execution.text(1),
            closed: it.milliseconds(4),
            events: it.number(6),
            isSystem,
          });
        }
        this.#onCount(`listing ${what}`, found.size, found.size);
      }
      const { message: counted } = await this.#api.call(
        'CountWorkflowExecutions',
        message([1, this.#namespace], [2, query]),
      );
      // What retention deletes meanwhile is counted no more; what is counted and not listed was hidden.
      if (counted.number(1) > found.size)
        this.#lacks(`${what}: the server counts ${counted.number(1)} and lists ${found.size}`);
    });
    return [...found.values()];
  }

  async #histories(workflows: readonly Workflow[]): Promise<void> {
    let done = 0;
    await sideBySide(workflows, AT_A_TIME, async (workflow) => {
      await this.#part(`workflow ${workflow.id}`, () => this.#workflowOrOther(workflow));
      this.#onCount('reading workflows', ++done, workflows.length);
    });
  }

  async #workflowOrOther(workflow: Workflow): Promise<void> {
    try {
      await this.#workflow(workflow);
    } catch (error) {
      const isOther = error instanceof GrpcError && error.code === GRPC.notFound && /archetype/i.test(error.message);
      if (!isOther) throw error;
      this.#noWorkflows.push(workflow);
    }
  }

  #checkOthers(): void {
    for (const { id, run } of this.#noWorkflows)
      if (!this.#described.has(run) && !this.#described.has(id.replace(SCHEDULER, '')))
        this.#lacks(`${id} (run ${run}) is listed among workflows, and is of a kind that is not known here`);
  }

  async #workflow(workflow: Workflow): Promise<void> {
    const { id, run, closed, events, info, isSystem } = workflow;
    const until = closed === undefined ? undefined : closed + this.#retentionMs;
    const kind: PlaceKind = closed === undefined ? 'open workflow' : 'closed workflow';
    const place = { kind: isSystem ? 'system workflow' : kind, until, name: id } as const;
    const known = closed === undefined ? undefined : this.#checkpoint.get({ run, closed, events });
    if (known !== undefined) return this.#usage.add(place, known);
    const needs = noNeeds();
    addStretch(needs, walkWire(info), 0);
    const execution = message([1, id], [2, run]);
    if (closed === undefined) {
      const { bytes } = await this.#api.call(
        'DescribeWorkflowExecution',
        message([1, this.#namespace], [2, execution]),
      );
      addStretch(needs, walkWire(bytes), 0);
    }
    const isWhole = await this.#events(workflow, execution, needs);
    this.#usage.add(place, needs);
    if (closed !== undefined && isWhole) this.#checkpoint.put({ run, closed, events }, needs);
  }

  /** @returns whether every event was there */
  async #events({ id, closed, events, run }: Workflow, execution: Buffer, needs: Needs): Promise<boolean> {
    const asked = [
      [1, this.#namespace],
      [2, execution],
      [3, EVENTS_PAGE],
      [7, true],
    ] as const;
    let next = 1;
    let isWhole = true;
    try {
      for await (const { bytes, message: page } of this.#api.pages('GetWorkflowExecutionHistory', asked, [4, 3])) {
        const histories = [...page.all(1), ...page.all(2).map((blob) => new Message(blob).bytes(2))];
        for (const history of histories)
          for (const event of new Message(history).all(1)) {
            const it = new Message(event);
            if (it.number(1) !== next) isWhole = false;
            next = it.number(1) + 1;
            addStretch(needs, walkWire(event), it.milliseconds(2) ?? 0);
          }
        // Whatever else the answer holds, now or in a later version of the API.
        const whole = walkWire(bytes);
        if (whole === undefined) isWhole = false;
      }
    } catch (error) {
      // Retention takes what is closed, also while it is read.
      const isGone = error instanceof GrpcError && error.code === GRPC.notFound && closed !== undefined;
      if (!isGone) throw error;
      if (closed + this.#retentionMs <= Date.now()) return false;
      throw error;
    }
    if (next - 1 < events) isWhole = false;
    if (!isWhole)
      this.#lacks(
        `workflow ${id} (run ${run}): ${next - 1} of ${Math.max(events, next - 1)} events were there, or not in their order`,
      );
    return isWhole;
  }

  async #schedules(expected: number): Promise<void> {
    await this.#part('schedules', async () => {
      const entries = new Map<string, Buffer>();
      for await (const { message: page } of this.#api.pages('ListSchedules', this.#paged, [3, 2]))
        for (const entry of page.all(1)) entries.set(new Message(entry).text(1), entry);
      let counted = expected;
      try {
        const { message: answer } = await this.#api.call('CountSchedules', message([1, this.#namespace]));
        counted = answer.number(1);
      } catch (error) {
        if (!(error instanceof GrpcError && error.code === GRPC.unimplemented)) throw error;
      }
      if (counted > entries.size) this.#lacks(`schedules: the server counts ${counted} and lists ${entries.size}`);
      let done = 0;
      await sideBySide(entries, AT_A_TIME, async ([id, entry]) => {
        await this.#part(`schedule ${id}`, async () => {
          const needs = noNeeds();
          addStretch(needs, walkWire(entry), 0);
          const { bytes } = await this.#api.call('DescribeSchedule', message([1, this.#namespace], [2, id]));
          addStretch(needs, walkWire(bytes), 0);
          this.#usage.add({ kind: 'schedule', until: undefined, name: id }, needs);
          this.#described.add(id);
        });
        this.#onCount('reading schedules', ++done, entries.size);
      });
    });
  }

  /** Standalone activities and Nexus operations: listed, counted, and described with everything in them. */
  async #standalone(
    kind: PlaceKind,
    type: string,
    { describe: [flags, names], close }: { describe: [readonly number[], readonly [number, number]]; close: number },
  ): Promise<void> {
    const what = kind === 'activity' ? 'standalone activities' : 'standalone Nexus operations';
    const query = `StartTime <= "${this.#asOf.toISOString()}"`;
    await this.#part(
      what,
      async () => {
        const entries: Buffer[] = [];
        for await (const { message: page } of this.#api.pages(`List${type}s`, this.#paged, [3, 2]))
          entries.push(...page.all(1));
        const { message: answer } = await this.#api.call(`Count${type}s`, message([1, this.#namespace], [2, query]));
        if (answer.number(1) > entries.length)
          this.#lacks(`${what}: the server counts ${answer.number(1)} and lists ${entries.length}`);
        await sideBySide(entries, AT_A_TIME, async (entry) => {
          const it = new Message(entry);
          const [id, run] = names.map((number) => it.text(number));
          await this.#part(`${kind} ${id}`, async () => {
            const request = message(
              [1, this.#namespace],
              [2, id],
              [3, run],
              ...flags.map((flag) => [flag, true] as const),
            );
            const { bytes } = await this.#api.call(`Describe${type}`, request);
            const needs = noNeeds();
            addStretch(needs, walkWire(entry), 0);
            addStretch(needs, walkWire(bytes), it.milliseconds(close) ?? 0);
            const closed = it.milliseconds(close);
            const until = closed === undefined ? undefined : closed + this.#retentionMs;
            this.#usage.add({ kind, until, name: id ?? '' }, needs);
            this.#described.add(run ?? '');
          });
        });
      },
      true,
    );
  }

  async #workerDeployments(): Promise<void> {
    await this.#part(
      'worker deployments',
      async () => {
        const names: string[] = [];
        for await (const { message: page } of this.#api.pages('ListWorkerDeployments', this.#paged, [3, 1]))
          for (const summary of page.all(2)) names.push(new Message(summary).text(1));
        for (const name of names)
          await this.#part(`worker deployment ${name}`, async () => {
            const { bytes, message: answer } = await this.#api.call(
              'DescribeWorkerDeployment',
              message([1, this.#namespace], [2, name]),
            );
            const needs = noNeeds();
            addStretch(needs, walkWire(bytes), 0);
            for (const summary of answer.message(2).all(2)) {
              const version = new Message(summary);
              const request = message(
                [1, this.#namespace],
                [2, version.text(1)],
                [3, version.has(4) ? version.bytes(4) : undefined],
              );
              const described = await this.#api.call('DescribeWorkerDeploymentVersion', request);
              addStretch(needs, walkWire(described.bytes), 0);
            }
            this.#usage.add({ kind: 'worker deployment', until: undefined, name }, needs);
          });
      },
      true,
    );
  }

  /** Their descriptions are payloads, and belong to the whole server. */
  async #endpoints(): Promise<void> {
    await this.#part(
      'descriptions of Nexus endpoints',
      async () => {
        const { bytes, message: answer } = await this.#api.call('ListNexusEndpoints', message([1, PAGE]));
        const needs = noNeeds();
        addStretch(needs, walkWire(bytes), 0);
        if (answer.has(1)) this.#lacks('descriptions of Nexus endpoints: there are more than one page of them');
        if (answer.all(2).length > 0)
          this.#usage.add({ kind: 'Nexus endpoint', until: undefined, name: 'endpoints' }, needs);
      },
      true,
    );
  }
}
