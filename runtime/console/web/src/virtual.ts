// Which part of a long list is to be drawn and loaded. Pure.

export interface Range {
  first: number;
  end: number; // exclusive
}

// The rows to draw for a viewport that has been scrolled, with some more above and below.
export function visibleRows(
  scrollTop: number,
  viewport: number,
  rowHeight: number,
  count: number,
  overscan = 8,
): Range {
  const first = Math.floor(scrollTop / rowHeight) - overscan;
  const end = Math.ceil((scrollTop + viewport) / rowHeight) + overscan;
  return { first: clamp(first, 0, count), end: clamp(end, 0, count) };
}

// The blocks that hold these rows.
export function blocksOf(range: Range, blockSize: number): number[] {
  if (range.end <= range.first) return [];
  const first = Math.floor(range.first / blockSize);
  const last = Math.floor((range.end - 1) / blockSize);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

// The scroll position that shows a row, moved as little as possible.
export function scrolledTo(row: number, scrollTop: number, viewport: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + viewport) return top + rowHeight - viewport;
  return scrollTop;
}

export const clamp = (n: number, low: number, high: number): number =>
  Math.min(Math.max(n, low), high);
