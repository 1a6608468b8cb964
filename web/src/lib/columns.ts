/** The columns of the watchlist: which there are, which a person wants, and which have room. */

export type ColumnKey =
  | "symbol"
  | "last"
  | "change"
  | "spark"
  | "spread"
  | "vwap"
  | "imbalance"
  | "rvol"
  | "atr"
  | "rsi"
  | "pattern"
  | "flags"
  | "volume"
  | "age";

export interface Column {
  readonly key: ColumnKey;
  readonly head: string;
  readonly help: string;
  /** Pixels it needs, with its padding. */
  readonly width: number;
  /** The same on a phone. */
  readonly tight: number;
  /** The higher, the sooner it gives its room up on a narrow screen. */
  readonly yields: number;
}

const column = (
  key: ColumnKey,
  head: string,
  [width, tight = width]: readonly [number, number?],
  yields: number,
  help: string,
): Column => ({ key, head, width, tight, yields, help });

/** In the order in which they are shown unless somebody chose another. */
export const COLUMNS: readonly Column[] = [
  column("symbol", "Symbol", [112, 104], 0, "Instrument"),
  column("last", "Last ₹", [112, 104], 1, "Last traded price"),
  column("change", "Chg", [76, 68], 3, "Change since the previous close"),
  column("spark", "30 closes", [78], 5, "The last 30 one-minute closes; a gap where a minute is missing"),
  column("spread", "Spread", [58], 4, "Best ask minus best bid, in ticks"),
  column("imbalance", "Imbal.", [74], 6, "Bid minus ask quantity over their sum, five levels: -1 to +1"),
  column("vwap", "VWAP", [72], 7, "Last price against the day's VWAP"),
  column("flags", "Flags", [94], 8, "Liquidity, and below it volatility, against what is usual at this time of day"),
  column("pattern", "Pattern", [126], 9, "The newest pattern of today that still stands, and its timeframe"),
  column("rsi", "RSI", [54], 10, "Relative strength index of the last 14 settled candles"),
  column("atr", "ATR %", [58], 11, "Average true range of the last 14 settled candles, in percent of the price"),
  column("rvol", "Rel. vol", [64], 12, "The day's volume against what is usual by this time"),
  column("volume", "Volume", [72], 13, "Shares traded today"),
  column("age", "Age", [82, 72], 2, "Age of the last data; the word when it cannot be trusted"),
];

const OF_KEY: ReadonlyMap<string, Column> = new Map(COLUMNS.map((one) => [one.key, one]));
/** A panel narrower than this is a phone's. */
const TIGHT_PX = 485;

/** What makes a row: it cannot be taken off. */
export const FIXED: ReadonlySet<ColumnKey> = new Set(["symbol", "last", "age"]);

export interface Choice {
  /** Every column, in the chosen order. */
  readonly order: readonly ColumnKey[];
  readonly hidden: ReadonlySet<ColumnKey>;
  /** Timeframe of RSI and ATR %; 0 is the chart's. */
  readonly minutes: number;
}

const KEY = "ticktick.columns";
export const DEFAULT: Choice = { order: COLUMNS.map((one) => one.key), hidden: new Set(), minutes: 5 };

/** The kept choice; everything where there is none or it cannot be read. New columns come last. */
export function loadChoice(storage: Pick<Storage, "getItem">): Choice {
  const [order = "", hidden = "", minutes = ""] = (storage.getItem(KEY) ?? "").split(";");
  const kept = keys(order).filter((key) => key !== "symbol");
  return {
    order: ["symbol", ...kept, ...DEFAULT.order.filter((key) => key !== "symbol" && !kept.includes(key))],
    hidden: new Set(keys(hidden).filter((key) => !FIXED.has(key))),
    minutes: /^\d+$/.test(minutes) ? Number(minutes) : DEFAULT.minutes,
  };
}

export function saveChoice(storage: Pick<Storage, "setItem">, { order, hidden, minutes }: Choice): void {
  storage.setItem(KEY, [order.join(" "), [...hidden].join(" "), minutes].join(";"));
}

/** Show the column, or take it off. */
export function toggled(choice: Choice, key: ColumnKey): Choice {
  if (FIXED.has(key)) return choice;
  const hidden = new Set(choice.hidden);
  if (!hidden.delete(key)) hidden.add(key);
  return { ...choice, hidden };
}

/** Move the column so many places; the symbol stays first. */
export function moved(choice: Choice, key: ColumnKey, by: number): Choice {
  const order = choice.order.filter((one) => one !== key);
  const at = Math.min(Math.max(1, choice.order.indexOf(key) + by), order.length);
  if (key === "symbol") return choice;
  order.splice(at, 0, key);
  return { ...choice, order };
}

/** The chosen columns that fit into so many pixels, with their widths; all while it is not known (0). */
export function fitting(choice: Choice, panel: number): readonly Column[] {
  const wanted = choice.order.filter((key) => !choice.hidden.has(key)).flatMap((key) => OF_KEY.get(key) ?? []);
  if (panel === 0) return wanted;
  const sized = wanted.map((one) => (panel < TIGHT_PX ? { ...one, width: one.tight } : one));
  const shown = new Set<Column>();
  let left = panel;
  for (const one of sized.toSorted((a, b) => a.yields - b.yields)) {
    if (one.width > left && !FIXED.has(one.key)) continue;
    shown.add(one);
    left -= one.width;
  }
  return sized.filter((one) => shown.has(one));
}

function keys(text: string): ColumnKey[] {
  const known = text.split(" ").flatMap((key) => OF_KEY.get(key)?.key ?? []);
  return [...new Set(known)];
}
