import { expect, test } from 'vitest';
import type { RunRecord } from './api.ts';
import { kMaxRecords, splitEffect, withRecord } from './records.ts';

const record = (sequence: number, quietRuns = 0) => ({ sequence, quietRuns }) as RunRecord;

test('a new record comes last', () => {
  expect(withRecord([record(1)], record(2)).map((r) => r.sequence)).toEqual([1, 2]);
});

test('a known record is replaced', () => {
  expect(withRecord([record(1), record(2)], record(2, 5))[1]?.quietRuns).toBe(5);
});

test('no more are kept than the operator keeps', () => {
  const many = Array.from({ length: kMaxRecords }, (_, i) => record(i + 1));
  const next = withRecord(many, record(kMaxRecords + 1));
  expect(next).toHaveLength(kMaxRecords);
  expect(next[0]?.sequence).toBe(2);
});

test("an effect's verb is its first word", () => {
  expect(splitEffect('apply Service shop/db')).toEqual({ verb: 'apply', target: 'Service shop/db' });
  expect(splitEffect('wake')).toEqual({ verb: 'wake', target: '' });
});
