import { useEffect } from 'preact/hooks';
import type { Chain } from '../api.ts';
import { api } from '../api.ts';
import type { Lane } from '../chain.ts';
import { lanesOf, originOf, stepsOf, ticks } from '../chain.ts';
import { clock, day, plural, span, splitName } from '../format.ts';
import type { Loaded } from '../hooks.ts';
import { serverTime, useLoaded, useNow, useTitle } from '../hooks.ts';
import { ActorLink, hueOf } from '../parts/actor.tsx';
import { Failed, Loading } from '../parts/notice.tsx';
import { RunBody } from '../parts/run.tsx';
import { toneOf } from '../records.ts';

const kPause = 1_000; // µs: shorter waits between two steps are not worth a line

export function ChainView({ id }: { id: string }) {
  const chain = useLoaded(`chain ${id}`, () => api.chain(id));
  useGrowth(chain);
  useTitle(chain.data ? originOf(chain.data) : `Chain ${id}`);
  if (!chain.data) return chain.error ? <Failed error={chain.error} retry={chain.reload} /> : <Loading />;
  const lanes = lanesOf(chain.data.records);
  return (
    <>
      <ChainHead chain={chain.data} actors={lanes.length} reload={chain.reload} />
      <Overview chain={chain.data} lanes={lanes} />
      <Steps chain={chain.data} />
      {chain.data.truncated && <div class="notice">The chain goes on; only its first 1,000 runs are shown.</div>}
    </>
  );
}

// A chain whose last run is this young may still grow; its page follows.
const kYoung = 30_000;
const kFollow = 2_000;

function useGrowth({ data, reload }: Loaded<Chain>): void {
  const last = data?.records.at(-1)?.at ?? null;
  useEffect(() => {
    const timer = setInterval(() => {
      if (last !== null && !document.hidden && serverTime() - Date.parse(last) < kYoung) reload();
    }, kFollow);
    return () => clearInterval(timer);
  }, [last, reload]);
}

const lengthOf = (chain: Chain): number => chain.records.at(-1)?.offsetMicros ?? 0;

function ChainHead({ chain, actors, reload }: { chain: Chain; actors: number; reload: () => void }) {
  return (
    <div class="page-head">
      <nav class="crumbs" aria-label="Where this is">
        <a href="#/">Fleet</a>
        <span aria-hidden="true">/</span>
        <span>Chain #{chain.chain}</span>
      </nav>
      <div class="title">
        <h1>{originOf(chain)}</h1>
        <span class="spring" />
        <button type="button" class="quiet" onClick={reload}>
          Load again
        </button>
      </div>
      <p class="faint">
        Began {day(chain.begin)} at {clock(chain.begin)} UTC · {plural(chain.records.length, 'run')} of{' '}
        {plural(actors, 'actor')} · {span(lengthOf(chain))} from the first cause to the last run
      </p>
    </div>
  );
}

const kLane = 30;
const kAxis = 22;

// Who acted when, at a glance; each mark leads to its step.
function Overview({ chain, lanes }: { chain: Chain; lanes: Lane[] }) {
  const end = lengthOf(chain);
  return (
    <section class="card overview" aria-label="The chain over time">
      <div class="lane-names">
        {lanes.map((lane) => (
          <div key={lane.id} title={`${lane.kind} ${lane.name}`}>
            <span class="kind-dot" style={{ '--hue': String(hueOf(lane.kind)) }} />
            {splitName(lane.name).name || 'ended'}
            <span class="faint"> {lane.kind}</span>
          </div>
        ))}
      </div>
      <div class="lanes" style={{ height: `${lanes.length * kLane + kAxis}px` }}>
        {ticks(end).map((t) => (
          <div class="tick" key={t} style={{ left: position(end === 0 ? 0 : t / end) }}>
            <span>{t === 0 ? '0' : span(t)}</span>
          </div>
        ))}
        {lanes.map((lane, i) => (
          <div class="lane" key={lane.id} style={{ top: `${i * kLane}px` }}>
            {lane.marks.map((mark) => (
              <a
                key={mark.index}
                href={`#step-${mark.index}`}
                class={`mark ${mark.fault ? 'bad' : mark.effects ? 'acted' : ''}`}
                style={{ left: position(mark.at), '--hue': String(hueOf(lane.kind)) }}
                aria-label={`Step ${mark.index + 1}, ${lane.name}`}
                onClick={(e) => {
                  e.preventDefault();
                  const step = document.getElementById(`step-${mark.index}`);
                  step?.scrollIntoView({ block: 'center' });
                  step?.focus();
                }}
              />
            ))}
          </div>
        ))}
      </div>
    </section>
  );
}

// Marks and ticks keep a margin from the edges.
const position = (at: number): string => `calc(14px + (100% - 44px) * ${at.toFixed(4)})`;

function Steps({ chain }: { chain: Chain }) {
  const now = useNow();
  return (
    <ol class="timeline chain">
      {stepsOf(chain.records).map(({ record, waited }, i) => (
        <li
          key={i}
          id={`step-${i}`}
          tabIndex={-1}
          class={toneOf(record)}
          style={{ '--hue': String(hueOf(record.actor.kind)) }}
        >
          <div class="when">
            <time dateTime={record.at ?? ''} title={`${day(record.at)} ${clock(record.at)} UTC`}>
              +{span(record.offsetMicros)}
            </time>
            {waited >= kPause && i > 0 && <span class="faint">{span(waited)} later</span>}
          </div>
          <article class="card">
            <header>
              <ActorLink {...record.actor} />
              <span class="spring" />
              <span class="faint">took {span(record.tookMicros)}</span>
            </header>
            <RunBody record={record} now={now} chain={chain.chain} />
          </article>
        </li>
      ))}
    </ol>
  );
}
