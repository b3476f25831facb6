// Numbers and times for people. Pure.

const groups = new Intl.NumberFormat('en-US');

export const count = (n: number): string => groups.format(n);

// "1 run", "2 runs".
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

// A span of time, to three digits or so: "85 µs", "12.3 ms", "1.24 s", "2 m 10 s", "3 h 5 m".
export function span(micros: number): string {
  if (micros < 0) return `−${span(-micros)}`;
  if (micros < 1_000) return `${Math.round(micros)} µs`;
  if (micros < 1_000_000) return `${digits(micros / 1_000)} ms`;
  const seconds = micros / 1_000_000;
  if (seconds < 60) return `${digits(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} m`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`;
}

function digits(n: number): string {
  if (n >= 100) return n.toFixed(0);
  return n >= 10 ? n.toFixed(1) : n.toFixed(2);
}

// How long ago, as coarse as it stays still while one reads: "now", "12 s", "4 m", "3 h", "2 d".
export function age(at: string | null, now: number): string {
  if (at === null) return 'never';
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1000));
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function ago(at: string | null, now: number): string {
  const text = age(at, now);
  if (text === 'now') return 'just now';
  return at === null ? text : `${text} ago`;
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${unit === 0 ? n : digits(n)} ${units[unit]}`;
}

// The time of day in UTC, as logs have it, with milliseconds: 12:00:00.750.
export const clock = (at: string | null): string => (at === null ? '–' : at.slice(11, 23));

export const day = (at: string | null): string => (at === null ? '' : at.slice(0, 10));

// Microseconds between two RFC 3339 times; Date would drop all but the milliseconds.
export function microsBetween(from: string, to: string): number {
  const micros = (t: string) => Number(/\.(\d{6})/.exec(t)?.[1] ?? '0');
  const seconds = (t: string) => Date.parse(`${t.slice(0, 19)}Z`) / 1000;
  return (seconds(to) - seconds(from)) * 1_000_000 + micros(to) - micros(from);
}

export function splitName(full: string): { namespace: string; name: string } {
  const slash = full.indexOf('/');
  if (slash < 0) return { namespace: '', name: full };
  return { namespace: full.slice(0, slash), name: full.slice(slash + 1) };
}
