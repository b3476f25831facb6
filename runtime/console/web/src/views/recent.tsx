import { useEffect } from 'preact/hooks';
import { api } from '../api.ts';
import { ago, clock, day, span } from '../format.ts';
import { noteServerTime, useLoaded, useNow, useTitle } from '../hooks.ts';
import { ActorLink, hueOf } from '../parts/actor.tsx';
import { Failed, Loading } from '../parts/notice.tsx';
import { ChainLink, RunBody } from '../parts/run.tsx';
import { toneOf } from '../records.ts';

const kShown = 100;

export function RecentView() {
  useTitle('Recent runs');
  const recent = useLoaded('recent', () => api.recent(kShown));
  const now = useNow();
  useEffect(() => {
    if (recent.data) noteServerTime(recent.data.now);
  }, [recent.data]);
  if (!recent.data) return recent.error ? <Failed error={recent.error} retry={recent.reload} /> : <Loading />;
  return (
    <>
      <div class="page-head">
        <div class="title">
          <h1>Recent runs</h1>
          <span class="spring" />
          <button type="button" class="quiet" onClick={recent.reload}>
            Load again
          </button>
        </div>
        <p class="faint">The newest {kShown} runs of all actors that changed something, newest first.</p>
      </div>
      <ol class="timeline">
        {recent.data.records.map((r) => (
          <li
            key={`${r.actor.id}-${r.sequence}`}
            class={toneOf(r)}
            style={{ '--hue': String(hueOf(r.actor.kind)) }}
          >
            <div class="when">
              <time dateTime={r.at ?? ''} title={`${day(r.at)} UTC`}>
                {clock(r.at)}
              </time>
              <span class="faint">{ago(r.at, now)}</span>
            </div>
            <article class="card">
              <header>
                <ActorLink {...r.actor} />
                <span class="spring" />
                <span class="faint">took {span(r.tookMicros)}</span>
                <ChainLink id={r.chain} />
              </header>
              <RunBody record={r} now={now} />
            </article>
          </li>
        ))}
      </ol>
    </>
  );
}
