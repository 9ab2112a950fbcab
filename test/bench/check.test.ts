import { describe, expect, it } from '@jest/globals';
import { ofTree } from '../../bench/check/last-commit.ts';
import { before, compare, renderCases, together } from '../../bench/check/verdict.ts';
import { inTurn } from '../../bench/rounds.ts';

const rounds = (...values: number[]) => values.map((cpuMsPerRequest) => ({ cpuMsPerRequest }));

describe('the comparison with the last commit', () => {
  const measuredWith = (now: number[], then: number[]) =>
    new Map([
      ['own/w1', rounds(...now)],
      [`${before('own')}/w1`, rounds(...then)],
    ]);

  it('fails where the rounds take more than a tenth more, and not for one bad round', () => {
    expect(compare(measuredWith([1.09, 1.1, 3], [1, 1, 1]), ['own'], ['w1'])).toMatchObject([{ passes: true }]);
    expect(compare(measuredWith([1.11, 1.12, 1.2], [1, 1, 1]), ['own'], ['w1'])).toMatchObject([{ passes: false }]);
  });

  it('believes the best rounds where the others were disturbed, and the others where one was lucky', () => {
    expect(compare(measuredWith([1.5, 1, 2], [1, 1, 1]), ['own'], ['w1'])).toMatchObject([{ best: 1, passes: true }]);
    expect(compare(measuredWith([1, 1, 1.2], [1, 0.8, 1.2]), ['own'], ['w1'])).toMatchObject([{ passes: true }]);
  });

  it('compares round with round, so that a machine that is slow for both says nothing', () => {
    const [it] = compare(measuredWith([1, 5, 1], [1, 5, 1]), ['own'], ['w1']);
    expect(it).toMatchObject({ ratio: { median: 1, min: 1, max: 1 }, passes: true });
  });

  it('judges by all rounds where some were measured again: disturbed ones pass then, slower ones do not', () => {
    const disturbed = measuredWith([1.3, 1.4, 1.2], [1, 1, 1]);
    const judged = (again: number[]) =>
      compare(together(disturbed, measuredWith(again, [1, 1, 1])), ['own'], ['w1']).map(({ passes }) => passes);
    expect(compare(disturbed, ['own'], ['w1'])).toMatchObject([{ passes: false }]);
    expect(judged([1.4, 1.01, 1.3])).toEqual([true]);
    expect(judged([1.15, 1.2, 1.15])).toEqual([false]);
  });

  it('does not pass what was not measured, on either side', () => {
    const out = compare(new Map([['own/w1', rounds(1, 1)]]), ['own'], ['w1', 'w2']);
    expect(out.map(({ passes }) => passes)).toEqual([false, false]);
    expect(compare(measuredWith([1, 1], [1]), ['own'], ['w1'])).toMatchObject([{ passes: false }]);
    expect(renderCases(out)).toContain('own w1           not measured');
  });

  it('says which case is slower, and by how much', () => {
    const text = renderCases(compare(measuredWith([1.5, 1.5], [1, 1]), ['own'], ['w1']));
    expect(text).toBe('own w1           1.50 (1.50 to 1.50), best rounds 1.50  more than 1.1\n');
  });

  it('starts the same of the other tree: its files, with the same options', () => {
    const command = { file: 'node', args: ['--flag', '/here/bin/server.ts', '--port', '0', '/hereabouts/x'] };
    expect(ofTree(command, '/here', '/there')).toEqual({
      file: 'node',
      args: ['--flag', '/there/bin/server.ts', '--port', '0', '/hereabouts/x'],
    });
  });

  it('lets each of the two go first as often as the other', () => {
    const first = Array.from({ length: 4 }, (_, round) => inTurn(['then', 'now'], round)[0]?.[1]);
    expect(first.toSorted()).toEqual(['now', 'now', 'then', 'then']);
    const six = ['a', 'b', 'c', 'd', 'e', 'f'];
    const isBefore = Array.from({ length: 12 }, (_, round) => {
      const order = inTurn(six, round).map(([, name]) => name);
      return order.indexOf('a') < order.indexOf('b');
    });
    expect(isBefore.filter(Boolean)).toHaveLength(6);
    expect(inTurn(['then', 'now'], 1)).toEqual([
      [1, 'now'],
      [0, 'then'],
    ]);
  });
});
