// How an actor is named and how it does, the same in every view.

import type { ActorRow } from '../api.ts';
import { splitName } from '../format.ts';
import { actorAddress } from '../route.ts';

// From green over blue to pink: red and amber mean that something is wrong.
const hues = [255, 300, 180, 335, 215, 150, 280, 235, 318, 165];

// Kinds keep their colour everywhere; it follows from the name (FNV-1a). The start value is one that
// tells most of Troupe's own kinds apart.
export function hueOf(kind: string): number {
  let hash = 5823;
  for (const c of kind) hash = Math.imul(hash ^ (c.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hues[hash % hues.length] ?? 0;
}

export function KindTag({ kind }: { kind: string }) {
  return (
    <span class="kind" style={{ '--hue': String(hueOf(kind)) }}>
      {kind || 'ended'}
    </span>
  );
}

export function ActorName({ name }: { name: string }) {
  const parts = splitName(name);
  return (
    <span class="actor-name">
      {parts.namespace && <span class="namespace">{parts.namespace}/</span>}
      {parts.name}
    </span>
  );
}

export function ActorLink({ id, kind, name }: { id: number; kind: string; name: string }) {
  if (!kind) return <span class="faint">an actor that has ended</span>;
  return (
    <span class="actor-link">
      <KindTag kind={kind} />
      <a href={actorAddress(id)}>
        <ActorName name={name} />
      </a>
    </span>
  );
}

export type Health = 'quarantined' | 'failing' | 'held' | 'idle' | 'good';

export function healthOf(actor: ActorRow): Health {
  if (actor.quarantined) return 'quarantined';
  if (actor.failing) return 'failing';
  if (actor.guards > 0) return 'held';
  return actor.runs === 0 ? 'idle' : 'good';
}

export const healthText: Record<Health, string> = {
  quarantined: 'In quarantine',
  failing: 'Its last run threw; it tries again',
  held: 'Held back',
  idle: 'Has not run yet',
  good: 'Nothing holds it back',
};

export function HealthDot({ actor }: { actor: ActorRow }) {
  const health = healthOf(actor);
  return <span class={`dot ${health}`} role="img" aria-label={healthText[health]} title={healthText[health]} />;
}
