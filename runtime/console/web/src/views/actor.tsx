import { useEffect, useState } from 'preact/hooks';
import type { ActorDetail, ActorRow, RunRecord } from '../api.ts';
import { api, listen } from '../api.ts';
import { age, ago, clock, count, day, plural, span } from '../format.ts';
import { noteServerTime, useLoaded, useNow, useTitle } from '../hooks.ts';
import type { Health } from '../parts/actor.tsx';
import { ActorName, HealthDot, KindTag, healthOf, healthText } from '../parts/actor.tsx';
import { Failed, Live, Loading } from '../parts/notice.tsx';
import { ChainLink, RunBody } from '../parts/run.tsx';
import { StateTree } from '../parts/state.tsx';
import { toneOf, withRecord } from '../records.ts';
import { everything } from '../filter.ts';
import { fleetAddress } from '../route.ts';

export function ActorView({ id }: { id: number }) {
  const detail = useLoaded(`actor ${id}`, () => api.actor(id));
  const history = useLoaded(`history ${id}`, () => api.history(id));
  const now = useNow();
  const live = useActorStream(id, history.data?.records, detail.reload);
  useEffect(() => {
    if (detail.data) noteServerTime(detail.data.now);
  }, [detail.data]);
  useTitle(detail.data?.actor.name ?? `Actor ${id}`);

  if (!detail.data)
    return detail.error ? <Failed error={detail.error} retry={detail.reload} /> : <Loading />;
  const actor = live.actor ?? detail.data.actor;
  const records = live.records;
  const latest = records.at(-1) ?? detail.data.latest;
  return (
    <>
      <ActorHead actor={actor} live={live} released={detail.reload} />
      <div class="columns">
        <div class="wide">
          <Now actor={actor} latest={latest} now={now} />
          <section aria-labelledby="history">
            <div class="section-head">
              <h2 id="history">History</h2>
              <span class="faint">{plural(records.length, 'run')} kept, newest first</span>
            </div>
            {history.error && <Failed error={history.error} retry={history.reload} />}
            <Timeline records={records} now={now} />
          </section>
        </div>
        <aside>
          <Facts actor={actor} latest={latest} now={now} />
          <State detail={detail.data} reload={detail.reload} />
        </aside>
      </div>
    </>
  );
}

interface LiveActor {
  open: boolean;
  paused: boolean;
  toggle: () => void;
  actor: ActorRow | null;
  records: RunRecord[];
  gone: boolean;
}

// The history as loaded, and what happened since.
function useActorStream(id: number, loaded: RunRecord[] | undefined, changed: () => void): LiveActor {
  const [open, setOpen] = useState(false);
  const [paused, setPaused] = useState(false);
  const [gone, setGone] = useState(false);
  const [actor, setActor] = useState<ActorRow | null>(null);
  const [records, setRecords] = useState<RunRecord[]>([]);
  useEffect(() => {
    if (loaded) setRecords(loaded);
  }, [loaded]);
  useEffect(() => {
    if (!loaded || paused || gone) return;
    const after = loaded.at(-1)?.sequence ?? 0;
    return listen(
      `/api/stream?actor=${id}&after=${after}`,
      {
        actor: (row) => setActor(row as ActorRow),
        record: (news) => {
          setRecords((old) => withRecord(old, news as RunRecord));
          if ((news as RunRecord).sequence > after) changed();
        },
        gone: () => setGone(true),
      },
      setOpen,
    );
  }, [id, loaded, paused, gone]);
  return { open, paused, toggle: () => setPaused(!paused), actor, records, gone };
}

function ActorHead({ actor, live, released }: { actor: ActorRow; live: LiveActor; released: () => void }) {
  return (
    <div class="page-head">
      <nav class="crumbs" aria-label="Where this is">
        <a href="#/">Fleet</a>
        <span aria-hidden="true">/</span>
        <a href={fleetAddress({ ...everything, kind: actor.kind })}>{actor.kind}</a>
      </nav>
      <div class="title">
        <h1>
          <HealthDot actor={actor} />
          <ActorName name={actor.name} />
        </h1>
        <KindTag kind={actor.kind} />
        <span class="spring" />
        {actor.quarantined && <Release id={actor.id} released={released} />}
        {live.gone ? (
          <span class="pill plain">Has ended</span>
        ) : (
          <Live open={live.open} paused={live.paused} toggle={live.toggle} />
        )}
      </div>
    </div>
  );
}

function Release({ id, released }: { id: number; released: () => void }) {
  const [said, setSaid] = useState('');
  const release = () =>
    api.release(id).then(
      () => released(),
      (error: Error) => setSaid(error.message),
    );
  return (
    <>
      {said && (
        <span class="faint" role="alert">
          {said}
        </span>
      )}
      <button type="button" class="primary" onClick={release}>
        Release from quarantine
      </button>
    </>
  );
}

// What an actor does that did not say.
const idleText: Record<Health, string> = {
  quarantined: 'Waits until its quarantine ends',
  failing: 'Waits to try again',
  held: 'Waits',
  idle: 'Waits for its first cause',
  good: 'Nothing in particular',
};

function Now({ actor, latest, now }: { actor: ActorRow; latest: RunRecord | null; now: number }) {
  const health = healthOf(actor);
  return (
    <section class={`card now ${health}`} aria-labelledby="now">
      <h2 id="now">Now</h2>
      <p class="doing">{actor.doing || idleText[health]}</p>
      <p class="faint">
        {healthText[health]}
        {actor.lastRun && <> · last ran {ago(actor.lastRun, now)}</>}
      </p>
      {latest && latest.fault !== null && <pre class="fault">{latest.fault}</pre>}
      {latest && latest.guards.length > 0 && (
        <ul class="guards" aria-label="What holds it back">
          {latest.guards.map((g) => (
            <li key={g.rule}>
              <span class="tag guard">{g.rule}</span>
              <span class="text">{g.text}</span>
              <span class="faint" title={g.since ?? ''}>
                {g.since === null ? 'since when is not known' : `for ${age(g.since, now)}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Timeline({ records, now }: { records: RunRecord[]; now: number }) {
  if (records.length === 0) return <div class="notice faint">No run is kept.</div>;
  return (
    <ol class="timeline">
      {[...records].reverse().map((r) => (
        <li key={r.sequence} class={toneOf(r)}>
          <div class="when">
            <time dateTime={r.at ?? ''} title={`${day(r.at)} UTC`}>
              {clock(r.at)}
            </time>
            <span class="faint">{ago(r.at, now)}</span>
          </div>
          <article class="card">
            <RunBody record={r} now={now} />
            <footer>
              <span>run {count(r.sequence)}</span>
              <span>took {span(r.tookMicros)}</span>
              <span class="spring" />
              <span>
                chain <ChainLink id={r.chain} />
              </span>
            </footer>
          </article>
        </li>
      ))}
    </ol>
  );
}

function Facts({ actor, latest, now }: { actor: ActorRow; latest: RunRecord | null; now: number }) {
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Figures</h2>
      <dl class="facts">
        <dt>Mailbox</dt>
        <dd>{actor.waiting === 0 ? 'empty' : plural(actor.waiting, 'cause')}</dd>
        <dt>Runs</dt>
        <dd>{count(actor.runs)}</dd>
        <dt>Faults</dt>
        <dd>{actor.faults === 0 ? 'none' : <span class="pill bad">{count(actor.faults)}</span>}</dd>
        <dt>Last run</dt>
        <dd title={actor.lastRun ?? ''}>{ago(actor.lastRun, now)}</dd>
        <dt>Took</dt>
        <dd>{latest ? span(latest.tookMicros) : '–'}</dd>
        <dt>Id</dt>
        <dd>{actor.id}</dd>
      </dl>
    </section>
  );
}

function State({ detail, reload }: { detail: ActorDetail; reload: () => void }) {
  return (
    <section class="card" aria-labelledby="state">
      <div class="section-head">
        <h2 id="state">State</h2>
        <span class="faint">at {clock(detail.now)}</span>
        <span class="spring" />
        <button type="button" class="quiet" onClick={reload}>
          Ask again
        </button>
      </div>
      {detail.stateError !== null ? <p class="faint">{detail.stateError}</p> : <StateTree value={detail.state} />}
    </section>
  );
}
