/** The order of the watchlist: stable, and never changed under a pointer or the keyboard focus. */

import type { InstrumentRow } from "../messages.gen";
import { inRupees } from "./format";
import { type WallMs, priceUnits } from "./messages";
import type { Store } from "./store";

export type SortKey =
  | "symbol"
  | "last"
  | "change"
  | "spread"
  | "vwap"
  | "imbalance"
  | "volume"
  | "age";

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
      this.sorted = this.sort === null ? store.watched : ordered(store, this.sort, wall);
    }
    return this.sorted;
  }
}

function ordered(store: Store, sort: Sort, wall: WallMs): InstrumentRow[] {
  const collator = new Intl.Collator("en-IN");
  const values = new Map(
    store.watched.map((one) => [one, sortValue(store, one, sort.key, wall)]),
  );
  const direction = sort.descending ? -1 : 1;
  return store.watched.toSorted((a, b) => {
    if (sort.key === "symbol") return direction * collator.compare(a.symbol, b.symbol);
    return compare(values.get(a) ?? NaN, values.get(b) ?? NaN, direction);
  });
}

/** Values that are not known come last in both directions. */
function compare(a: number, b: number, direction: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) ? -1 : direction * (a - b);
}

function sortValue(store: Store, one: InstrumentRow, key: SortKey, wall: WallMs): number {
  const { table } = store;
  const cell = (column: Float64Array): number => column[one.row] ?? NaN;
  switch (key) {
    case "symbol":
      return 0;
    case "last":
      return inRupees(priceUnits(cell(table.last_price)), one.price_scale);
    case "change":
      return cell(table.last_price) / cell(table.previous_close);
    case "spread":
      return cell(table.spread) / one.tick_size;
    case "vwap":
      return cell(table.vwap_distance);
    case "imbalance":
      return cell(table.imbalance);
    case "volume":
      return cell(table.volume);
    case "age":
      return store.ageMs(one.row, wall);
  }
}
