import { expect, test, vi } from 'vitest';
import type { Page } from './api.ts';
import { everything } from './filter.ts';
import type { Load } from './fleet.ts';
import { Fleet } from './fleet.ts';

// Answers like an operator with `count` actors, whose ids are their row numbers.
function operator(count: number) {
  const queries: string[] = [];
  const load: Load = async (query, signal) => {
    queries.push(query);
    await Promise.resolve();
    signal.throwIfAborted();
    const p = new URLSearchParams(query);
    const offset = Number(p.get('offset'));
    const ids = Array.from({ length: Math.max(0, Math.min(100, count - offset)) }, (_, i) => offset + i);
    return { total: count, matched: count, offset, now: '', actors: ids.map((id) => ({ id })) } as Page;
  };
  return { load, queries };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test('loads only the blocks in view', async () => {
  const { load, queries } = operator(100_000);
  const fleet = new Fleet(load, () => {});
  fleet.show(everything);
  await settled();
  fleet.want({ first: 50_050, end: 50_110 });
  await settled();
  expect(queries).toEqual(['offset=0&limit=100', 'offset=50000&limit=100', 'offset=50100&limit=100']);
  expect(fleet.row(50_105)?.id).toBe(50_105);
  expect(fleet.row(70_000)).toBeUndefined();
  expect(fleet.matched).toBe(100_000);
});

test('asks once for a block that is on its way', async () => {
  const { load, queries } = operator(1_000);
  const fleet = new Fleet(load, () => {});
  fleet.want({ first: 0, end: 20 });
  fleet.want({ first: 5, end: 25 });
  await settled();
  fleet.want({ first: 0, end: 20 });
  expect(queries).toHaveLength(1);
});

test('a view that shows nothing yet stops nothing', async () => {
  const { load } = operator(1_000);
  const fleet = new Fleet(load, () => {});
  fleet.show(everything);
  fleet.want({ first: 0, end: 0 });
  await settled();
  expect(fleet.row(0)?.id).toBe(0);
});

test('what was scrolled past is not waited for', async () => {
  const { load } = operator(100_000);
  const changed = vi.fn();
  const fleet = new Fleet(load, changed);
  fleet.want({ first: 0, end: 20 });
  fleet.want({ first: 90_000, end: 90_020 });
  await settled();
  expect(fleet.row(0)).toBeUndefined();
  expect(fleet.row(90_000)?.id).toBe(90_000);
  expect(changed).toHaveBeenCalledTimes(1);
});

test('another filter starts from the top and keeps the old rows until then', async () => {
  const { load, queries } = operator(500);
  const fleet = new Fleet(load, () => {});
  fleet.show(everything);
  await settled();
  fleet.want({ first: 300, end: 320 });
  await settled();
  fleet.show({ ...everything, kind: 'unit' });
  expect(fleet.row(0)?.id).toBe(0);
  await settled();
  expect(queries.at(-1)).toBe('kind=unit&offset=0&limit=100');
  expect(fleet.row(300)).toBeUndefined();
});

test('an error is kept until the next success', async () => {
  let fails = true;
  const { load } = operator(5);
  const fleet = new Fleet((q, s) => (fails ? Promise.reject(new Error('away')) : load(q, s)), () => {});
  fleet.show(everything);
  await settled();
  expect(fleet.error?.message).toBe('away');
  fails = false;
  fleet.refresh();
  await settled();
  expect(fleet.error).toBeNull();
});

test('scrolling through everything does not keep everything', async () => {
  const { load } = operator(100_000);
  const fleet = new Fleet(load, () => {});
  for (let row = 0; row < 100_000; row += 1_000) {
    fleet.want({ first: row, end: row + 20 });
    await settled();
  }
  expect(fleet.row(99_000)?.id).toBe(99_000);
  expect(fleet.row(0)).toBeUndefined();
});
