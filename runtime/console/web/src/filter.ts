// What the fleet list shows and in which order; the same parameters in the page's address and in
// requests to the API. Pure.

export const sorts = ['name', 'kind', 'doing', 'runs', 'faults', 'guards', 'lastRun'] as const;
export type Sort = (typeof sorts)[number];

export interface Filter {
  kind: string;
  name: string;
  guards: boolean;
  faults: boolean;
  quarantined: boolean;
  sort: Sort;
  descending: boolean;
}

export const everything: Filter = {
  kind: '',
  name: '',
  guards: false,
  faults: false,
  quarantined: false,
  sort: 'name',
  descending: false,
};

export function parseFilter(query: string): Filter {
  const p = new URLSearchParams(query);
  const sort = p.get('sort');
  return {
    kind: p.get('kind') ?? '',
    name: p.get('name') ?? '',
    guards: p.get('guards') === '1',
    faults: p.get('faults') === '1',
    quarantined: p.get('quarantined') === '1',
    sort: sorts.find((s) => s === sort) ?? 'name',
    descending: p.get('order') === 'desc',
  };
}

// Only what differs from showing everything.
export function writeFilter(filter: Filter): string {
  const p = new URLSearchParams();
  if (filter.kind) p.set('kind', filter.kind);
  if (filter.name) p.set('name', filter.name);
  if (filter.guards) p.set('guards', '1');
  if (filter.faults) p.set('faults', '1');
  if (filter.quarantined) p.set('quarantined', '1');
  if (filter.sort !== 'name') p.set('sort', filter.sort);
  if (filter.descending) p.set('order', 'desc');
  return p.toString();
}

export const narrows = (filter: Filter): boolean =>
  filter.kind !== '' || filter.name !== '' || filter.guards || filter.faults || filter.quarantined;

// A click on a column's head: by it, or the other way round. Counts start with the largest.
export function sortedBy(filter: Filter, sort: Sort): Filter {
  if (filter.sort === sort) return { ...filter, descending: !filter.descending };
  return { ...filter, sort, descending: ['runs', 'faults', 'guards', 'lastRun'].includes(sort) };
}
