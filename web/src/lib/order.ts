/** The order of the watchlist: stable, and never changed under a pointer or the keyboard focus. */

import type { InstrumentRow } from "../messages.gen";
import { istDay } from "./clock";
import { drift } from "./closes";
import type { ColumnKey } from "./columns";
import { flagOrder } from "./flags";
import { inRupees } from "./format";
import { standingPattern, volumeReading } from "./glance";
import { type WallMs, priceUnits } from "./messages";
import { type Pattern, endMs } from "./patterns";
import type { Store } from "./store";

export type SortKey = ColumnKey;

export interface Sort {
  readonly key: SortKey;
  readonly descending: boolean;
}

const RESORT_MS = 1_000;

/** `sort` null keeps the order of the list itself. */
export class WatchOrder {
  sort: Sort | null = null;
  pointerOver = false;
  focusWithin = false;
  /** Timeframe of the indicators that a column shows. */
  minutes = 5;
  private sorted: readonly InstrumentRow[] = [];
  private source: readonly InstrumentRow[] | null = null;
  private sortedAt = -Infinity;

  /** Whether the order stands still although the values move. */
  get paused(): boolean {
    return this.sort !== null && (this.pointerOver || this.focusWithin);
  }

  /** The next state of a column's header: descending, ascending, off. Sorts at once. */
  toggle(key: SortKey): void {
    if (this.sort?.key !== key) this.sort = { key, descending: key !== "symbol" };
    else if (this.sort.descending === (key !== "symbol")) {
      this.sort = { key, descending: !this.sort.descending };
    } else this.sort = null;
    this.source = null;
  }

  rows(store: Store, wall: WallMs): readonly InstrumentRow[] {
    const changed = this.source !== store.watched;
    const due = !this.paused && wall - this.sortedAt >= RESORT_MS;
    if (changed || (this.sort !== null && due)) {
      this.source = store.watched;
      this.sortedAt = wall;
      this.sorted = this.sort === null ? store.watched : ordered(store, this.sort, this.minutes, wall);
    }
    return this.sorted;
  }
}

function ordered(store: Store, sort: Sort, minutes: number, wall: WallMs): InstrumentRow[] {
  const collator = new Intl.Collator("en-IN");
  const direction = sort.descending ? -1 : 1;
  if (sort.key === "symbol") {
    return store.watched.toSorted((a, b) => direction * collator.compare(a.symbol, b.symbol));
  }
  const valueOf = sortValue(store, sort.key, minutes, wall);
  const values = new Map(store.watched.map((one) => [one, valueOf(one)]));
  return store.watched.toSorted((a, b) => compare(values.get(a) ?? NaN, values.get(b) ?? NaN, direction));
}

/** Values that are not known come last in both directions. */
function compare(a: number, b: number, direction: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) ? -1 : direction * (a - b);
}

function sortValue(
  store: Store,
  key: Exclude<SortKey, "symbol">,
  minutes: number,
  wall: WallMs,
): (one: InstrumentRow) => number {
  const { table, readings } = store;
  const day = istDay(store.now(wall) ?? NaN);
  const cell = (column: Float64Array, { row }: InstrumentRow): number => column[row] ?? NaN;
  switch (key) {
    case "last":
      return (one) => inRupees(priceUnits(cell(table.last_price, one)), one.price_scale);
    case "change":
      return (one) => cell(table.last_price, one) / cell(table.previous_close, one);
    case "spark":
      return (one) => drift(store.closes.of(one.symbol));
    case "spread":
      return (one) => cell(table.spread, one) / one.tick_size;
    case "vwap":
      return (one) => cell(table.vwap_distance, one);
    case "imbalance":
      return (one) => cell(table.imbalance, one);
    case "flags":
      return (one) => flagOrder(store, one);
    case "pattern":
      return (one) => patternEnd(standingPattern(store, one, day));
    case "rsi":
      return (one) => {
        const { rsi, isFlat } = readings.of(one.symbol, minutes);
        return isFlat ? NaN : rsi;
      };
    case "atr":
      return (one) => readings.of(one.symbol, minutes).atrPercent;
    case "rvol":
      return (one) => volumeReading(store, one.symbol, day)?.relativeVolume ?? NaN;
    case "volume":
      return (one) => cell(table.volume, one);
    case "age":
      return (one) => store.ageMs(one.row, wall);
  }
}

const patternEnd = (pattern: Pattern | null): number => (pattern === null ? NaN : endMs(pattern));
