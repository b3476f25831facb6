import { expect, test } from 'vitest';
import { everything, narrows, parseFilter, sortedBy, writeFilter } from './filter.ts';

test('showing everything needs no parameters', () => {
  expect(writeFilter(everything)).toBe('');
  expect(narrows(everything)).toBe(false);
});

test('an unknown order falls back to the name', () => {
  expect(parseFilter('sort=colour').sort).toBe('name');
});

test('a second click on a column turns it round', () => {
  const byRuns = sortedBy(everything, 'runs');
  expect(byRuns).toMatchObject({ sort: 'runs', descending: true });
  expect(sortedBy(byRuns, 'runs').descending).toBe(false);
  expect(sortedBy(byRuns, 'kind')).toMatchObject({ sort: 'kind', descending: false });
});

test('order alone does not narrow', () => {
  expect(narrows(sortedBy(everything, 'runs'))).toBe(false);
  expect(narrows({ ...everything, faults: true })).toBe(true);
});
