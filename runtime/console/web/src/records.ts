// An actor's runs as they come in. Pure.

import type { RunRecord } from './api.ts';

// As many as the operator keeps of one actor.
export const kMaxRecords = 256;

// With `news` added, or put in place of the record with its sequence; oldest first.
export function withRecord(records: RunRecord[], news: RunRecord): RunRecord[] {
  const last = records[records.length - 1];
  if (last === undefined || news.sequence > last.sequence)
    return [...records, news].slice(-kMaxRecords);
  return records.map((r) => (r.sequence === news.sequence ? news : r));
}

// What a run is marked by: the gravest of what it did.
export function toneOf(record: RunRecord): 'bad' | 'acted' | 'held' | '' {
  if (record.fault !== null) return 'bad';
  if (record.effects.length > 0) return 'acted';
  return record.guards.length > 0 ? 'held' : '';
}

// "promote db-1" asks somebody to `promote`; the rest says what for.
export function splitEffect(key: string): { verb: string; target: string } {
  const space = key.indexOf(' ');
  if (space < 0) return { verb: key, target: '' };
  return { verb: key.slice(0, space), target: key.slice(space + 1) };
}
