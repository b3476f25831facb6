// The fleet list as the table draws it: any row of any length of list, loaded in blocks as they
// come into view. Knows nothing of the DOM; requests go through `load`.

import type { ActorRow, Page } from './api.ts';
import type { Filter } from './filter.ts';
import { writeFilter } from './filter.ts';
import type { Range } from './virtual.ts';
import { blocksOf } from './virtual.ts';

export const kBlock = 100;
const kMaxBlocks = 40; // kept at once; scrolling through 100,000 rows must not keep them all

export type Load = (query: string, signal: AbortSignal) => Promise<Page>;

export class Fleet {
  matched = 0;
  total = 0;
  error: Error | null = null;
  ready = false; // something was loaded, of this filter or the one before

  private filter = '';
  private range: Range = { first: 0, end: kBlock };
  private stale = false; // blocks out of view are of an older list
  private blocks = new Map<number, ActorRow[]>();
  private loading = new Map<number, AbortController>();

  constructor(
    private readonly load: Load,
    private readonly changed: () => void,
  ) {}

  row(index: number): ActorRow | undefined {
    return this.blocks.get(Math.floor(index / kBlock))?.[index % kBlock];
  }

  // Another list; the old one stays in sight until the first block is there.
  show(filter: Filter): void {
    this.filter = writeFilter(filter);
    this.range = { first: 0, end: kBlock };
    this.refresh();
  }

  // These rows are in view. None are, until the first answer says that there are any.
  want(range: Range): void {
    if (range.end <= range.first) return;
    this.range = range;
    const wanted = blocksOf(range, kBlock);
    for (const [block, request] of this.loading)
      if (!wanted.includes(block)) this.cancel(block, request);
    for (const block of wanted)
      if (!this.blocks.has(block) && !this.loading.has(block)) void this.fetch(block);
  }

  // Loads what is in view again, and forgets the rest.
  refresh(): void {
    for (const [block, request] of this.loading) this.cancel(block, request);
    this.stale = true;
    const wanted = blocksOf(this.range, kBlock);
    for (const block of wanted.length > 0 ? wanted : [0]) void this.fetch(block);
  }

  private cancel(block: number, request: AbortController): void {
    request.abort();
    this.loading.delete(block);
  }

  private async fetch(block: number): Promise<void> {
    const request = new AbortController();
    this.loading.set(block, request);
    const query = [this.filter, `offset=${block * kBlock}`, `limit=${kBlock}`].filter(Boolean).join('&');
    try {
      const page = await this.load(query, request.signal);
      if (request.signal.aborted) return;
      this.take(block, page);
    } catch (error) {
      if (request.signal.aborted) return;
      this.error = error instanceof Error ? error : new Error(String(error));
    }
    this.loading.delete(block);
    this.changed();
  }

  private take(block: number, page: Page): void {
    const wanted = blocksOf(this.range, kBlock);
    const full = this.blocks.size >= kMaxBlocks;
    for (const known of this.blocks.keys())
      if (!wanted.includes(known) && (full || this.stale)) this.blocks.delete(known);
    this.stale = false;
    this.blocks.set(block, page.actors);
    this.matched = page.matched;
    this.total = page.total;
    this.error = null;
    this.ready = true;
  }
}
