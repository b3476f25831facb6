// The fleet's table: draws only the rows in view, so that 100,000 cost what 40 do.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ActorRow } from '../api.ts';
import type { Filter, Sort } from '../filter.ts';
import { narrows, sortedBy } from '../filter.ts';
import type { Fleet } from '../fleet.ts';
import { age, count } from '../format.ts';
import { useNow } from '../hooks.ts';
import { actorAddress } from '../route.ts';
import { clamp, scrolledTo, visibleRows } from '../virtual.ts';
import { ActorName, HealthDot, KindTag } from './actor.tsx';

const kRow = 38; // px, as in style.css
const kScrolling = 60; // ms of rest before rows that came into view are loaded

const columns: { sort: Sort; name: string; number?: boolean }[] = [
  { sort: 'kind', name: 'Kind' },
  { sort: 'name', name: 'Name' },
  { sort: 'doing', name: 'Doing' },
  { sort: 'guards', name: 'Guards', number: true },
  { sort: 'faults', name: 'Faults', number: true },
  { sort: 'runs', name: 'Runs', number: true },
  { sort: 'lastRun', name: 'Last run', number: true },
];

interface Props {
  fleet: Fleet;
  filter: Filter;
  change: (filter: Filter) => void;
}

export function FleetTable({ fleet, filter, change }: Props) {
  const now = useNow();
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const [active, setActive] = useState(-1);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const range = visibleRows(view.top, view.height, kRow, fleet.matched);
  useEffect(() => {
    const timer = setTimeout(() => fleet.want(range), kScrolling);
    return () => clearTimeout(timer);
  }, [range.first, range.end]);

  const move = (to: number) => {
    const row = clamp(to, 0, fleet.matched - 1);
    setActive(row);
    const element = scroller.current;
    if (element) element.scrollTop = scrolledTo(row, element.scrollTop, element.clientHeight, kRow);
  };
  const onKey = (e: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(view.height / kRow) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const step = steps[e.key];
    if (step !== undefined) {
      e.preventDefault();
      move(active + step);
    } else if (e.key === 'Enter' && e.target === scroller.current) {
      const actor = fleet.row(active);
      if (actor) location.hash = actorAddress(actor.id);
    }
  };

  const rows = [];
  for (let i = range.first; i < range.end; i++)
    rows.push(<Row key={i} index={i} actor={fleet.row(i)} active={i === active} now={now} />);
  return (
    <div class="table" role="grid" aria-label="Actors" aria-rowcount={fleet.matched + 1} aria-colcount={columns.length}>
      <Head filter={filter} change={change} />
      <div
        class="rows"
        ref={scroller}
        role="rowgroup"
        tabIndex={0}
        aria-label="Actors; arrow keys move, Enter opens"
        aria-activedescendant={active >= 0 ? `row-${active}` : undefined}
        onScroll={(e) => setView({ top: e.currentTarget.scrollTop, height: e.currentTarget.clientHeight })}
        onKeyDown={onKey}
      >
        <div class="extent" style={{ height: `${fleet.matched * kRow}px` }}>
          {rows}
        </div>
        {fleet.ready && fleet.matched === 0 && (
          <div class="notice">{narrows(filter) ? 'No actor matches.' : 'The operator has no actors yet.'}</div>
        )}
      </div>
    </div>
  );
}

function Head({ filter, change }: { filter: Filter; change: (filter: Filter) => void }) {
  return (
    <div role="row" class="row head" aria-rowindex={1}>
      {columns.map((c) => {
        const sorted = filter.sort === c.sort;
        const order = sorted ? (filter.descending ? 'descending' : 'ascending') : 'none';
        return (
          <div role="columnheader" class={c.number ? 'number' : ''} aria-sort={order} key={c.sort}>
            <button type="button" onClick={() => change(sortedBy(filter, c.sort))}>
              {c.name}
              <span class="arrow" aria-hidden="true">
                {sorted ? (filter.descending ? '↓' : '↑') : ''}
              </span>
            </button>
          </div>
        );
      })}
    </div>
  );
}

interface RowProps {
  index: number;
  actor: ActorRow | undefined;
  active: boolean;
  now: number;
}

function Row({ index, actor, active, now }: RowProps) {
  const place = { transform: `translateY(${index * kRow}px)` };
  if (!actor) return <div role="row" class="row loading" style={place} aria-rowindex={index + 2} aria-busy="true" />;
  return (
    <div role="row" id={`row-${index}`} class={`row ${active ? 'active' : ''}`} style={place} aria-rowindex={index + 2} aria-selected={active}>
      <div role="gridcell">
        <HealthDot actor={actor} />
        <KindTag kind={actor.kind} />
      </div>
      <div role="gridcell">
        <a href={actorAddress(actor.id)} tabIndex={-1} class="cover">
          <ActorName name={actor.name} />
        </a>
      </div>
      <div role="gridcell" class="doing" title={actor.doing}>
        {actor.quarantined ? <span class="pill bad">quarantined</span> : null}
        {actor.doing}
      </div>
      <div role="gridcell" class="number">
        <Count of={actor.guards} tone="warn" />
      </div>
      <div role="gridcell" class="number">
        <Count of={actor.faults} tone="bad" />
      </div>
      <div role="gridcell" class="number">
        {count(actor.runs)}
      </div>
      <div role="gridcell" class="number faint" title={actor.lastRun ?? ''}>
        {age(actor.lastRun, now)}
      </div>
    </div>
  );
}

function Count({ of, tone }: { of: number; tone: 'warn' | 'bad' }) {
  return of === 0 ? <span class="faint">–</span> : <span class={`pill ${tone}`}>{count(of)}</span>;
}
