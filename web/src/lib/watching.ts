/** Adding to the watchlist by search, removing from it, and taking that back. */

import type { FoundSymbol, InstrumentRow } from "../messages.gen";
import { addSymbol, outcome, putBack, removeSymbol, search } from "./commands";
import type { Page } from "./page";
import { Refused } from "./session";

/** What the watchlist tells below its rows. */
export interface WatchNote {
  readonly text: string;
  readonly refused: boolean;
  /** The instrument that can be put back. */
  readonly removed: InstrumentRow | null;
}

export const QUIET: WatchNote = { text: "", refused: false, removed: null };

/** The changes a person makes to the list, one at a time; `onChange` is called after each step. */
export class Watching {
  note: WatchNote = QUIET;
  busy = false;
  /** What came after the one that can be put back; null where that was the last. */
  private following: string | null = null;

  constructor(
    private readonly page: Page,
    private readonly onChange: () => void,
  ) {}

  /** Watch what was found; whether it was taken. */
  add(found: Pick<FoundSymbol, "instrument_key">): Promise<boolean> {
    return this.change(addSymbol(this.page, found.instrument_key), null);
  }

  /** Watch the instrument no more; it can be put back until the next change. */
  remove(instrument: InstrumentRow): Promise<boolean> {
    const { watched } = this.page.store;
    const at = watched.findIndex((one) => one.symbol === instrument.symbol);
    this.following = watched[at + 1]?.symbol ?? null;
    return this.change(removeSymbol(this.page, instrument.symbol), instrument);
  }

  /** Put back what was removed last, where it was. */
  async undo(): Promise<boolean> {
    const { removed } = this.note;
    if (removed === null || this.busy) return false;
    return this.change(putBack(this.page, removed, this.following), null);
  }

  /** Take the last word off the page. */
  dismiss(): void {
    this.note = QUIET;
    this.onChange();
  }

  private async change(wish: Promise<string>, removed: InstrumentRow | null): Promise<boolean> {
    this.busy = true;
    this.onChange();
    const { text, refused } = await outcome(wish);
    this.busy = false;
    this.note = { text, refused, removed: refused ? null : removed };
    this.onChange();
    return !refused;
  }
}

/** What a search shows: what was found, or a sentence instead. */
export interface Findings {
  readonly found: readonly FoundSymbol[];
  readonly text: string;
}

export const NOTHING: Findings = { found: [], text: "" };

const PAUSE_MS = 150;

/**
 * A search that follows the typing: it waits for a pause, and an older answer never
 * overtakes a newer question. Resolves to null when another question came.
 */
export function createSearch(page: Page, pause: (ms: number) => Promise<void>) {
  let asking = new AbortController();
  return async (words: string): Promise<Findings | null> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    if (words.trim() === "") return NOTHING;
    await pause(PAUSE_MS);
    if (signal.aborted) return null;
    try {
      const { found, total } = await search(page, words.trim(), signal);
      return signal.aborted ? null : { found, text: findingsText(found.length, total, words.trim()) };
    } catch (error) {
      if (signal.aborted) return null;
      if (!(error instanceof Refused)) throw error;
      return { found: [], text: error.message };
    }
  };
}

function findingsText(shown: number, total: number, words: string): string {
  if (total === 0) return `Nothing found for “${words}”.`;
  return shown < total ? `The best ${shown} of ${total}: type more to narrow.` : `${total} found.`;
}
