import type { ApiError } from '../api.ts';

export function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const status = (error as Partial<ApiError>).status;
  return (
    <div class="notice bad" role="alert">
      <strong>{status === 404 ? 'Not there any more' : 'That did not work'}</strong>
      <p>{error.message}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

export function Loading() {
  return (
    <div class="notice faint" role="status">
      Loading…
    </div>
  );
}

// Whether the view follows what happens.
export function Live({ open, paused, toggle }: { open: boolean; paused: boolean; toggle: () => void }) {
  const state = paused ? 'Paused' : open ? 'Live' : 'Connecting…';
  return (
    <button type="button" class={`live ${paused ? '' : open ? 'on' : 'waiting'}`} aria-pressed={!paused} onClick={toggle}>
      <span class="pulse" aria-hidden="true" />
      {state}
    </button>
  );
}
