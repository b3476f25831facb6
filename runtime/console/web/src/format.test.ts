import { describe, expect, test } from 'vitest';
import { age, ago, bytes, clock, microsBetween, plural, span, splitName } from './format.ts';

describe('span', () => {
  test.each([
    [0, '0 µs'],
    [999, '999 µs'],
    [1_000, '1.00 ms'],
    [12_345, '12.3 ms'],
    [999_400, '999 ms'],
    [1_240_000, '1.24 s'],
    [130_000_000, '2 m 10 s'],
    [3_600_000_000 * 3 + 300_000_000, '3 h 5 m'],
    [86_400_000_000 * 2, '2 d 0 h'],
    [-5, '−5 µs'],
  ])('%d microseconds read %s', (micros, text) => expect(span(micros)).toBe(text));
});

describe('age', () => {
  const now = Date.parse('2026-01-31T12:00:00Z');
  test.each([
    [null, 'never'],
    ['2026-01-31T12:00:05Z', 'now'], // clocks differ a little
    ['2026-01-31T11:59:48Z', '12 s'],
    ['2026-01-31T11:56:00Z', '4 m'],
    ['2026-01-31T09:00:00Z', '3 h'],
    ['2026-01-29T09:00:00Z', '2 d'],
  ])('%s is %s', (at, text) => expect(age(at, now)).toBe(text));
});

test('ago reads as a sentence does', () => {
  const now = Date.parse('2026-01-31T12:00:00Z');
  expect(ago('2026-01-31T11:59:48Z', now)).toBe('12 s ago');
  expect(ago('2026-01-31T12:00:00Z', now)).toBe('just now');
  expect(ago(null, now)).toBe('never');
});

test('bytes use binary units', () => {
  expect(bytes(512)).toBe('512 B');
  expect(bytes(1536)).toBe('1.50 KiB');
  expect(bytes(300 * 1024 * 1024)).toBe('300 MiB');
});

test('the clock shows milliseconds in UTC', () => {
  expect(clock('2026-01-31T12:00:00.750123Z')).toBe('12:00:00.750');
  expect(clock(null)).toBe('–');
});

test('differences keep microseconds', () => {
  expect(microsBetween('2026-01-31T11:59:59.999998Z', '2026-01-31T12:00:00.000001Z')).toBe(3);
  expect(microsBetween('2026-01-31T12:00:00Z', '2026-01-31T12:00:01.5Z')).toBe(1_000_000);
});

test('names are split at the first slash', () => {
  expect(splitName('shop/db-0')).toEqual({ namespace: 'shop', name: 'db-0' });
  expect(splitName('node-1')).toEqual({ namespace: '', name: 'node-1' });
});

test('plural knows one', () => {
  expect(plural(1, 'run')).toBe('1 run');
  expect(plural(1200, 'run')).toBe('1,200 runs');
});
