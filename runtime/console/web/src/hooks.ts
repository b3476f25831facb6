// What the views share: the address, the operator's clock, and data that is loaded.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Route } from './route.ts';
import { parseRoute } from './route.ts';

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const update = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  return route;
}

// The operator's clock may differ from this machine's; ages are counted on the operator's.
let offset = 0;

export function noteServerTime(now: string): void {
  offset = Date.parse(now) - Date.now();
}

export const serverTime = (): number => Date.now() + offset;

// The operator's time, anew every second while the page can be seen.
export function useNow(): number {
  const [now, setNow] = useState(serverTime);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(serverTime());
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export interface Loaded<T> {
  data: T | null;
  error: Error | null;
  reload: () => void;
}

// Loads when `key` changes and when told to; an answer that comes too late is dropped. Data of the
// same key stays in sight while it is loaded again.
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: Error | null }>({
    key,
    data: null,
    error: null,
  });
  const turn = useRef(0);
  const reload = useCallback(() => {
    const mine = ++turn.current;
    load().then(
      (data) => mine === turn.current && setState({ key, data, error: null }),
      (error: Error) =>
        mine === turn.current &&
        setState((old) => ({ key, data: old.key === key ? old.data : null, error })),
    );
  }, [key]);
  useEffect(reload, [reload]);
  const current = state.key === key;
  return { data: current ? state.data : null, error: current ? state.error : null, reload };
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Troupe`;
  }, [title]);
}
