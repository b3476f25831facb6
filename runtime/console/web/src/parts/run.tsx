// One run of one actor: what made it run, what it decided, what held it back, what it asked for.

import type { ComponentChildren } from 'preact';
import type { Cause, Effect, Guard, RunRecord } from '../api.ts';
import { ago, microsBetween, plural, span } from '../format.ts';
import { splitEffect } from '../records.ts';
import { chainAddress } from '../route.ts';

export function ChainLink({ id }: { id: string }) {
  if (id === '0') return null;
  return (
    <a class="chain-link" href={chainAddress(id)} title="Follow this chain of cause and effect">
      #{id}
    </a>
  );
}

// `chain` is the one whose page this is on; links to it would lead nowhere.
export function RunBody({ record, now, chain }: { record: RunRecord; now: number; chain?: string }) {
  return (
    <dl class="run">
      {record.causes.length > 0 && (
        <Part name="Because" kind="causes">
          {record.causes.map((c, i) => (
            <CauseLine key={i} cause={c} record={record} chain={chain} />
          ))}
          {record.mergedCauses > 0 && (
            <div class="faint">and {plural(record.mergedCauses, 'cause')} more, merged</div>
          )}
        </Part>
      )}
      {record.doing && (
        <Part name="Decided" kind="decision">
          <span class="doing">{record.doing}</span>
        </Part>
      )}
      {record.fault !== null && (
        <Part name="Threw" kind="fault">
          <code>{record.fault}</code>
        </Part>
      )}
      {record.guards.length > 0 && (
        <Part name="Held back by" kind="guards">
          {record.guards.map((g) => (
            <GuardLine key={g.rule} guard={g} at={record.at} />
          ))}
        </Part>
      )}
      {record.effects.length > 0 && (
        <Part name="Asked for" kind="effects">
          {record.effects.map((e) => (
            <EffectLine key={e.key} effect={e} />
          ))}
        </Part>
      )}
      {record.quietRuns > 0 && (
        <Part name="Since then" kind="quiet">
          {plural(record.quietRuns, 'run')} that changed nothing, the last one{' '}
          <time dateTime={record.lastQuiet ?? ''} title={record.lastQuiet ?? ''}>
            {ago(record.lastQuiet, now)}
          </time>
        </Part>
      )}
    </dl>
  );
}

function Part({ name, kind, children }: { name: string; kind: string; children: ComponentChildren }) {
  return (
    <div class={`part ${kind}`}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function CauseLine({ cause, record, chain }: { cause: Cause; record: RunRecord; chain: string | undefined }) {
  const waited = cause.at !== null && record.at !== null ? microsBetween(cause.at, record.at) : 0;
  return (
    <div class="line">
      <span class={`tag cause-${cause.type}`}>{cause.type}</span>
      <span class="text">{cause.text}</span>
      {waited >= 1_000 && (
        <span class="faint" title="Between its entering the process and this run">
          {span(waited)} before
        </span>
      )}
      {cause.chain !== chain && <ChainLink id={cause.chain} />}
    </div>
  );
}

function GuardLine({ guard, at }: { guard: Guard; at: string | null }) {
  return (
    <div class="line">
      <span class="tag guard">{guard.rule}</span>
      <span class="text">{guard.text}</span>
      {guard.since !== null && at !== null && (
        <span class="faint">for {span(microsBetween(guard.since, at))}</span>
      )}
    </div>
  );
}

function EffectLine({ effect }: { effect: Effect }) {
  const { verb, target } = splitEffect(effect.key);
  return (
    <div class="line">
      <span class="tag effect">{verb}</span>
      <span class="text">
        <strong>{target}</strong> {effect.text && <span class="faint">{effect.text}</span>}
      </span>
    </div>
  );
}
