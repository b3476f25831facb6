import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Summary } from '../api.ts';
import { api, listen } from '../api.ts';
import type { Filter } from '../filter.ts';
import { everything, narrows } from '../filter.ts';
import { Fleet } from '../fleet.ts';
import { bytes, count } from '../format.ts';
import { noteServerTime, useLoaded, useTitle } from '../hooks.ts';
import { Failed, Live } from '../parts/notice.tsx';
import { FleetTable } from '../parts/table.tsx';
import { fleetAddress } from '../route.ts';

const kRefresh = 1500; // ms between two refreshes while the fleet moves
const kTyping = 150; // ms without a key before a search begins

export function FleetView({ filter }: { filter: Filter }) {
  useTitle('Fleet');
  const [, redraw] = useState(0);
  const fleet = useMemo(
    () =>
      new Fleet(
        async (query, signal) => {
          const page = await api.actors(query, signal);
          noteServerTime(page.now);
          return page;
        },
        () => redraw((n) => n + 1),
      ),
    [],
  );
  const summary = useLoaded('fleet', api.summary);
  const key = fleetAddress(filter);
  useEffect(() => fleet.show(filter), [fleet, key]);
  const [open, paused, setPaused] = useFleetStream(() => {
    fleet.refresh();
    summary.reload();
  });
  const change = (next: Filter) => location.replace(fleetAddress(next));

  return (
    <>
      <h1 class="hidden">Fleet</h1>
      <Tiles summary={summary.data} filter={filter} change={change} />
      <div class="toolbar">
        <Search value={filter.name} change={(name) => change({ ...filter, name })} />
        <KindSelect summary={summary.data} filter={filter} change={change} />
        {narrows(filter) && (
          <button type="button" class="quiet" onClick={() => change({ ...everything, sort: filter.sort, descending: filter.descending })}>
            Show all
          </button>
        )}
        <span class="spring" />
        <span class="matched" role="status">
          {fleet.ready && (narrows(filter) ? `${count(fleet.matched)} of ${count(fleet.total)} actors` : `${count(fleet.total)} actors`)}
        </span>
        <Live open={open} paused={paused} toggle={() => setPaused(!paused)} />
      </div>
      {fleet.error && <Failed error={fleet.error} retry={() => fleet.refresh()} />}
      <FleetTable key={key} fleet={fleet} filter={filter} change={change} />
    </>
  );
}

// Calls `refresh` when the fleet has moved, at most every kRefresh; not while nobody looks.
function useFleetStream(refresh: () => void): [boolean, boolean, (paused: boolean) => void] {
  const [open, setOpen] = useState(false);
  const [paused, setPaused] = useState(false);
  const latest = useRef(refresh);
  latest.current = refresh;
  useEffect(() => {
    if (paused) return;
    let moved = false;
    const stop = listen('/api/stream', { fleet: () => (moved = true) }, setOpen);
    const timer = setInterval(() => {
      if (!moved || document.hidden) return;
      moved = false;
      latest.current();
    }, kRefresh);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [paused]);
  return [open, paused, setPaused];
}

function Search({ value, change }: { value: string; change: (value: string) => void }) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => change(text), kTyping);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    const focus = (e: KeyboardEvent) => {
      if (e.key !== '/' || e.target instanceof HTMLInputElement) return;
      e.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  return (
    <label class="search">
      <span class="hidden">Search by namespace or name</span>
      <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
        <path d="M10.5 4a6.5 6.5 0 1 0 4 11.6l4.9 5 1.5-1.5-5-4.9A6.5 6.5 0 0 0 10.5 4Zm0 2a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Z" fill="currentColor" />
      </svg>
      <input
        ref={input}
        type="search"
        placeholder="Search namespace/name"
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

interface Choice {
  summary: Summary | null;
  filter: Filter;
  change: (filter: Filter) => void;
}

function KindSelect({ summary, filter, change }: Choice) {
  const kinds = summary?.kinds ?? [];
  return (
    <label class="select">
      <span class="hidden">Kind</span>
      <select value={filter.kind} onChange={(e) => change({ ...filter, kind: e.currentTarget.value })}>
        <option value="">All kinds</option>
        {filter.kind && !kinds.some((k) => k.kind === filter.kind) && <option value={filter.kind}>{filter.kind}</option>}
        {kinds.map((k) => (
          <option key={k.kind} value={k.kind}>
            {k.kind} ({count(k.actors)})
          </option>
        ))}
      </select>
    </label>
  );
}

// Figures of the whole fleet; those that can narrow the list are switches.
function Tiles({ summary, filter, change }: Choice) {
  const sum = (of: 'held' | 'faulty' | 'quarantined') => summary?.kinds.reduce((n, k) => n + k[of], 0);
  const flip = (of: 'guards' | 'faults' | 'quarantined') => change({ ...filter, [of]: !filter[of] });
  return (
    <section class="tiles" aria-label="The fleet in figures">
      <Tile name="Actors" value={summary?.totals.actors} />
      <Switch name="Held back" tone="warn" value={sum('held')} on={filter.guards} flip={() => flip('guards')} />
      <Switch name="With faults" tone="bad" value={sum('faulty')} on={filter.faults} flip={() => flip('faults')} />
      <Switch name="In quarantine" tone="bad" value={sum('quarantined')} on={filter.quarantined} flip={() => flip('quarantined')} />
      <Tile name="Runs" value={summary?.totals.runs} />
      <Tile name="Waiting to run" value={summary?.totals.queued} />
      <Tile name="Memory" text={summary ? bytes(summary.memory.residentBytes) : undefined} />
    </section>
  );
}

function Tile({ name, value, text }: { name: string; value?: number | undefined; text?: string | undefined }) {
  return (
    <div class="tile">
      <span class="name">{name}</span>
      <span class="figure">{text ?? (value === undefined ? '–' : count(value))}</span>
    </div>
  );
}

interface SwitchProps {
  name: string;
  tone: 'warn' | 'bad';
  value: number | undefined;
  on: boolean;
  flip: () => void;
}

function Switch({ name, tone, value, on, flip }: SwitchProps) {
  return (
    <button type="button" class={`tile ${value ? tone : ''}`} aria-pressed={on} onClick={flip} title={`Show only actors: ${name.toLowerCase()}`}>
      <span class="name">{name}</span>
      <span class="figure">{value === undefined ? '–' : count(value)}</span>
    </button>
  );
}
