// Addresses within the page. They live in the fragment, so the server needs to know none of them.

import type { Filter } from './filter.ts';
import { parseFilter, writeFilter } from './filter.ts';

export type Route =
  | { view: 'fleet'; filter: Filter }
  | { view: 'recent' }
  | { view: 'actor'; id: number }
  | { view: 'chain'; id: string }
  | { view: 'unknown'; path: string };

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  if (path === '') return { view: 'fleet', filter: parseFilter(query) };
  if (path === 'recent') return { view: 'recent' };
  const actor = /^actors\/(\d+)$/.exec(path);
  if (actor) return { view: 'actor', id: Number(actor[1]) };
  const chain = /^chains\/(\d+)$/.exec(path);
  if (chain?.[1] !== undefined) return { view: 'chain', id: chain[1] };
  return { view: 'unknown', path };
}

export const fleetAddress = (filter: Filter): string => {
  const query = writeFilter(filter);
  return query === '' ? '#/' : `#/?${query}`;
};
export const actorAddress = (id: number): string => `#/actors/${id}`;
export const chainAddress = (id: string): string => `#/chains/${id}`;
