import { describe, expect, it } from '@jest/globals';
import { alarmMinutes, ordinaryDay, weighed, work } from '../../bench/alarms/model.ts';
import { readResults } from '../../bench/figures.ts';
import { seededRandom } from '../../bench/statistics.ts';
import { NOT_SERVED } from '../../lib/alarms/watches.ts';

const page = (at: number, notServed: number, requests = 36) => ({ at, requests, notServed });

describe('the model of the alarm', () => {
  it('stays quiet for one page that fails, and fires for the second', () => {
    expect(alarmMinutes([page(3.2, 36)])).toEqual([]);
    expect(alarmMinutes([page(3.2, 36), page(7.9, 36)])).toEqual([8]);
  });

  it('adds up half an hour and no more', () => {
    expect(alarmMinutes([page(0.5, 36), page(29.5, 36)])).toEqual([30]);
    expect(alarmMinutes([page(0.5, 36), page(30.5, 36)])).toEqual([]);
  });

  it('weighs what fails with its share of all', () => {
    expect(weighed(40, 40)).toBe(40);
    expect(weighed(80, 160)).toBe(40);
    expect(weighed(0, 0)).toBe(0);
    expect(alarmMinutes([page(1, 36), page(2, 36), page(3, 0, 500)])).toEqual([3]);
    expect(alarmMinutes([page(1, 0, 500), page(2, 36), page(3, 36), page(20, 0, 500)])).toEqual([]);
  });

  it('plays the same for the same seed', () => {
    const day = () => ordinaryDay(seededRandom(7), 5);
    expect(day()).toEqual(day());
    expect(work(seededRandom(7), 5, 60).every(({ notServed }) => notServed === 0)).toBe(true);
  });
});

describe('the table of outages', () => {
  const { alarms } = readResults();

  it('is of the alarm as it is deployed', () => {
    expect(alarms.settings).toMatchObject({ alarm: NOT_SERVED, seed: 1 });
  });

  it('has at least nine of ten total outages seen within half an hour, and at most one false alarm a month', () => {
    expect(alarms.rows.map(({ people }) => people)).toEqual([3, 5, 10, 100]);
    for (const { within30, falseAlarmsAMonth } of alarms.rows) {
      expect(within30).toBeGreaterThanOrEqual(0.9);
      expect(falseAlarmsAMonth).toBeLessThanOrEqual(1);
    }
  });
});
