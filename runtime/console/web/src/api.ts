// The operator's JSON API; docs/console-api.md describes it.

export interface ActorRow {
  id: number;
  kind: string;
  name: string;
  runs: number;
  faults: number;
  waiting: number;
  failing: boolean;
  quarantined: boolean;
  doing: string;
  guards: number;
  lastRun: string | null;
}

export interface Page {
  total: number;
  matched: number;
  offset: number;
  now: string;
  actors: ActorRow[];
}

export type CauseType = 'start' | 'watch' | 'timer' | 'observation' | 'result' | 'manual';

export interface Cause {
  type: CauseType;
  chain: string;
  text: string;
  at: string | null;
}

export interface Guard {
  rule: string;
  text: string;
  since: string | null;
}

export interface Effect {
  key: string;
  text: string;
}

export interface RunRecord {
  actor: { id: number; kind: string; name: string };
  sequence: number;
  chain: string;
  at: string | null;
  tookMicros: number;
  causes: Cause[];
  mergedCauses: number;
  doing: string;
  guards: Guard[];
  effects: Effect[];
  fault: string | null;
  quietRuns: number;
  lastQuiet: string | null;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ActorDetail {
  now: string;
  actor: ActorRow;
  latest: RunRecord | null;
  state: Json;
  stateError: string | null;
}

export interface History {
  now: string;
  actor: ActorRow;
  records: RunRecord[];
}

export interface ChainRecord extends RunRecord {
  offsetMicros: number;
}

export interface Chain {
  chain: string;
  begin: string | null;
  truncated: boolean;
  records: ChainRecord[];
}

export interface Totals {
  actors: number;
  runs: number;
  faults: number;
  quarantined: number;
  queued: number;
  mergedCauses: number;
  runMicros: number;
}

export interface KindRow {
  kind: string;
  actors: number;
  held: number;
  faulty: number;
  quarantined: number;
}

export interface Summary {
  version: string;
  now: string;
  leader: boolean | null;
  totals: Totals;
  kinds: KindRow[];
  memory: { residentBytes: number; historyBytes: number; historyEvicted: number };
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { Accept: 'application/json' } });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, 'The operator does not answer. Is the port forwarding still up?');
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const said = (body as { error?: string } | null)?.error;
  throw new ApiError(response.status, said ?? `The operator answered ${response.status}.`);
}

export const api = {
  actors: (query: string, signal?: AbortSignal) =>
    request<Page>(`/api/actors?${query}`, signal ? { signal } : {}),
  actor: (id: number) => request<ActorDetail>(`/api/actors/${id}`),
  history: (id: number) => request<History>(`/api/actors/${id}/history`),
  chain: (id: string) => request<Chain>(`/api/causal/${id}`),
  recent: (limit: number) => request<{ now: string; records: RunRecord[] }>(`/api/recent?limit=${limit}`),
  summary: () => request<Summary>('/api/summary'),
  release: (id: number) => request<object>(`/api/actors/${id}/release`, { method: 'POST' }),
};

// Server-sent events by name; the browser reconnects by itself. Returns how to stop.
export function listen(path: string, on: Record<string, (data: unknown) => void>, state: (open: boolean) => void) {
  const source = new EventSource(path);
  source.onopen = () => state(true);
  source.onerror = () => state(false);
  for (const [event, handle] of Object.entries(on))
    source.addEventListener(event, (e) => handle(JSON.parse((e as MessageEvent<string>).data)));
  return () => source.close();
}
