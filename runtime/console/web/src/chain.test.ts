import { expect, test } from 'vitest';
import type { ChainRecord } from './api.ts';
import { lanesOf, originOf, stepsOf, ticks } from './chain.ts';

const record = (id: number, offsetMicros: number, more: Partial<ChainRecord> = {}): ChainRecord => ({
  actor: { id, kind: 'unit', name: `shop/db-${id}` },
  sequence: 1,
  chain: '42',
  at: null,
  tookMicros: 1,
  causes: [],
  mergedCauses: 0,
  doing: '',
  guards: [],
  effects: [],
  fault: null,
  quietRuns: 0,
  lastQuiet: null,
  offsetMicros,
  ...more,
});

test('actors get lanes in the order in which they joined', () => {
  const lanes = lanesOf([record(2, 0), record(1, 50), record(2, 100, { effects: [{ key: 'a', text: '' }] })]);
  expect(lanes.map((l) => l.id)).toEqual([2, 1]);
  expect(lanes[0]?.marks.map((m) => [m.index, m.at, m.effects])).toEqual([
    [0, 0, false],
    [2, 1, true],
  ]);
});

test('a chain of one instant does not divide by zero', () => {
  expect(lanesOf([record(1, 0)])[0]?.marks[0]?.at).toBe(0);
});

test('the origin is the first cause of this chain, not of another', () => {
  const causes = [
    { type: 'timer' as const, chain: '7', text: 'other', at: null },
    { type: 'observation' as const, chain: '42', text: 'process died', at: null },
  ];
  const chain = { chain: '42', begin: null, truncated: false, records: [record(1, 0), record(2, 1, { causes })] };
  expect(originOf(chain)).toBe('process died');
  expect(originOf({ ...chain, records: [] })).toBe('Chain 42');
});

test('the origin is the cause that came first, not the run', () => {
  const causes = (text: string, at: string) => [{ type: 'observation' as const, chain: '42', text, at }];
  const records = [
    record(1, 5, { causes: causes('source is dead', '2026-01-31T12:00:00.000002Z') }),
    record(2, 9, { causes: causes('process died', '2026-01-31T12:00:00.000001Z') }),
  ];
  expect(originOf({ chain: '42', begin: null, truncated: false, records })).toBe('process died');
});

test('steps know how long they waited', () => {
  expect(stepsOf([record(1, 5), record(2, 25)]).map((s) => s.waited)).toEqual([5, 20]);
});

test('an axis has some five round times', () => {
  expect(ticks(100)).toEqual([0, 20, 40, 60, 80, 100]);
  expect(ticks(1_234)).toEqual([0, 500, 1000]);
  expect(ticks(0)).toEqual([0]);
});
