// A JSON value as a tree that opens and closes.

import type { Json } from '../api.ts';

const kOpenDepth = 2; // deeper levels start closed

export function StateTree({ value }: { value: Json }) {
  if (value === null || typeof value !== 'object') return <Leaf value={value} />;
  return <Branch value={value} depth={0} />;
}

function Branch({ value, depth }: { value: Json[] | { [key: string]: Json }; depth: number }) {
  const entries: [string, Json][] = Array.isArray(value)
    ? value.map((v, i) => [String(i), v])
    : Object.entries(value);
  if (entries.length === 0) return <span class="faint">{Array.isArray(value) ? 'none' : 'empty'}</span>;
  return (
    <ul class="tree">
      {entries.map(([name, child]) => (
        <li key={name}>
          <Node name={name} value={child} depth={depth} />
        </li>
      ))}
    </ul>
  );
}

function Node({ name, value, depth }: { name: string; value: Json; depth: number }) {
  if (value === null || typeof value !== 'object' || size(value) === 0)
    return (
      <div class="entry">
        <span class="key">{name}</span>
        <Leaf value={value} />
      </div>
    );
  return (
    <details open={depth + 1 < kOpenDepth}>
      <summary>
        <span class="key">{name}</span>
        <span class="faint"> {Array.isArray(value) ? `[${size(value)}]` : `{${size(value)}}`}</span>
      </summary>
      <Branch value={value} depth={depth + 1} />
    </details>
  );
}

function Leaf({ value }: { value: Json }) {
  if (value === null) return <span class="value none">null</span>;
  if (typeof value === 'object') return <span class="value none">{Array.isArray(value) ? '[]' : '{}'}</span>;
  if (value === '') return <span class="value none">""</span>;
  return <span class={`value ${typeof value}`}>{String(value)}</span>;
}

const size = (value: Json[] | { [key: string]: Json }): number =>
  Array.isArray(value) ? value.length : Object.keys(value).length;
