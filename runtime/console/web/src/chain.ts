// A chain of cause and effect, prepared for drawing. Pure.

import type { Cause, Chain, ChainRecord } from './api.ts';

export interface Lane {
  id: number;
  kind: string;
  name: string;
  marks: { index: number; at: number; effects: boolean; fault: boolean }[]; // at: 0 to 1
}

// One lane an actor, in the order in which they joined.
export function lanesOf(records: ChainRecord[]): Lane[] {
  const end = Math.max(1, ...records.map((r) => r.offsetMicros));
  const lanes = new Map<number, Lane>();
  records.forEach((r, index) => {
    const lane = lanes.get(r.actor.id) ?? { ...r.actor, marks: [] };
    lanes.set(r.actor.id, lane);
    lane.marks.push({
      index,
      at: r.offsetMicros / end,
      effects: r.effects.length > 0,
      fault: r.fault !== null,
    });
  });
  return [...lanes.values()];
}

// What started it all: the chain's earliest cause, as far as the history knows. Of two actors that
// it woke, the second may have run first.
export function originOf(chain: Chain): string {
  const causes = chain.records.flatMap((r) => r.causes).filter((c) => c.chain === chain.chain);
  const time = (c: Cause) => c.at ?? '9999';
  const first = causes.reduce<Cause | null>((a, b) => (a === null || time(b) < time(a) ? b : a), null);
  return first?.text ?? `Chain ${chain.chain}`;
}

export interface Step {
  record: ChainRecord;
  waited: number; // microseconds since the step before
}

export function stepsOf(records: ChainRecord[]): Step[] {
  return records.map((record, i) => ({
    record,
    waited: record.offsetMicros - (records[i - 1]?.offsetMicros ?? 0),
  }));
}

// Round times for an axis from 0 to `end`, some five of them.
export function ticks(end: number): number[] {
  if (end <= 0) return [0];
  const rough = end / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? power * 10;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
}
