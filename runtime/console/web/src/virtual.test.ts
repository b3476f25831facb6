import { expect, test } from 'vitest';
import { blocksOf, scrolledTo, visibleRows } from './virtual.ts';

test('draws what is seen and a little more', () => {
  expect(visibleRows(1000, 400, 40, 100_000, 2)).toEqual({ first: 23, end: 37 });
});

test('never leaves the list', () => {
  expect(visibleRows(0, 400, 40, 5)).toEqual({ first: 0, end: 5 });
  expect(visibleRows(9_999, 400, 40, 5)).toEqual({ first: 5, end: 5 });
  expect(visibleRows(0, 400, 40, 0)).toEqual({ first: 0, end: 0 });
});

test('loads the blocks that hold the rows', () => {
  expect(blocksOf({ first: 99, end: 101 }, 100)).toEqual([0, 1]);
  expect(blocksOf({ first: 100, end: 200 }, 100)).toEqual([1]);
  expect(blocksOf({ first: 5, end: 5 }, 100)).toEqual([]);
});

test('scrolls to a row as little as possible', () => {
  expect(scrolledTo(0, 80, 400, 40)).toBe(0);
  expect(scrolledTo(5, 80, 400, 40)).toBe(80);
  expect(scrolledTo(20, 80, 400, 40)).toBe(440);
});
