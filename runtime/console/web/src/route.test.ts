import { expect, test } from 'vitest';
import { everything } from './filter.ts';
import { actorAddress, chainAddress, fleetAddress, parseRoute } from './route.ts';

test('an empty address is the whole fleet', () => {
  for (const hash of ['', '#', '#/']) expect(parseRoute(hash)).toEqual({ view: 'fleet', filter: everything });
});

test('every address leads back to its view', () => {
  const filter = { ...everything, kind: 'unit', name: 'a b/&?', guards: true, sort: 'runs' as const, descending: true };
  expect(parseRoute(fleetAddress(filter))).toEqual({ view: 'fleet', filter });
  expect(parseRoute(actorAddress(17))).toEqual({ view: 'actor', id: 17 });
  expect(parseRoute(chainAddress('18446744073709551615'))).toEqual({ view: 'chain', id: '18446744073709551615' });
});

test('nonsense is said to be unknown', () => {
  expect(parseRoute('#/actors/x')).toEqual({ view: 'unknown', path: 'actors/x' });
});
