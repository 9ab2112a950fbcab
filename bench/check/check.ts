/**
 * `npm run bench -- --check`: the server of the tree that is worked on beside that of the last commit,
 * in one run, in turn. For use before a change of what every request goes through; a busy machine is
 * no matter as long as it is busy with the same for both.
 */
import { CONTESTANTS } from '../contestants.ts';
import { LoadGenerator } from '../load/load.ts';
import { type Entry, enter, leave } from '../measure.ts';
import { measureAll, type Plan } from '../rounds.ts';
import { HERE, ofTree, unpackLastCommit } from './last-commit.ts';
import { before, type Case, compare, MOST, renderCases, together } from './verdict.ts';

/** The server with the samples' format, with everything that an environment has, and with our own format. */
const CHECKED = ['ours', 'guarded', 'own'];

/** So often what fails is measured again: a busy machine disturbs rounds, and what is slower is slower in more of them, too. */
const MOST_REPEATS = 2;

/**
 * Measures and prints.
 *
 * @param only contestants instead of all that are checked
 * @returns whether no case is slower than it may be
 */
export async function checkAgainstLastCommit(plan: Plan, only: readonly string[] = CHECKED): Promise<boolean> {
  const last = unpackLastCommit();
  const load = new LoadGenerator();
  const entries: Entry[] = [];
  try {
    for (const contestant of CONTESTANTS.filter(({ name }) => only.includes(name))) {
      plan.say(`starting ${contestant.name}`);
      const then = async () => {
        const entered = await contestant.enter();
        return { ...entered, command: entered.command && ofTree(entered.command, HERE, last.root) };
      };
      entries.push(await enter({ ...contestant, name: before(contestant.name), enter: then }), await enter(contestant));
    }
    let measured = await measureAll(entries, plan, load);
    const judge = (): Case[] =>
      compare(
        measured,
        only,
        plan.workloads.map(({ name }) => name),
      );
    for (let repeat = 0; repeat < MOST_REPEATS; repeat++) {
      for (const { contestant, workload } of judge().filter(({ passes, ratio }) => !passes && ratio !== undefined)) {
        plan.say(`more rounds of ${contestant} ${workload}`);
        const both = entries.filter((entry) => [contestant, before(contestant)].includes(entry.contestant.name));
        const workloads = plan.workloads.filter(({ name }) => name === workload);
        measured = together(measured, await measureAll(both, { ...plan, workloads }, load));
      }
    }
    const cases = judge();
    for (const entry of entries) if ('absent' in entry) plan.say(`${entry.contestant.name}: ${entry.absent}`);
    process.stdout.write(`CPU per request, of that of ${last.commit}; at most ${MOST} passes\n${renderCases(cases)}`);
    return cases.every(({ passes }) => passes);
  } finally {
    load.stop();
    for (const entry of entries) if ('entered' in entry) await leave(entry);
    last.remove();
  }
}
