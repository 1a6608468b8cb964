/** Makers of protocol messages, and an encoder of blocks written from the protocol's description. */

import type {
  ColumnSpec,
  Envelope,
  Freshness,
  Hello,
  InstrumentRow,
  Liquidity,
  ListedPattern,
  Status,
  Volatility,
} from "../src/messages.gen";

export const FRESHNESS: readonly Freshness[] = ["unknown", "stale", "gap", "closed", "fresh", "quiet"];

export const LIQUIDITY: readonly Liquidity[] = ["LIQUID", "THIN", "ILLIQUID", "NO_QUOTE"];
export const VOLATILITY: readonly Volatility[] = ["LOW", "NORMAL", "HIGH", "EXTREME", "UNKNOWN"];

const column = (dtype: ColumnSpec["dtype"], unit: string, ...names: string[]): ColumnSpec[] =>
  names.map((name) => ({ name, unit, dtype }));

export const COLUMNS: readonly ColumnSpec[] = [
  ...column("f8", "price", "exchange_ms", "last_trade_ms", "volume", "mid", "vwap", "vwap_session"),
  ...column("i4", "price", "last_price", "previous_close", "bid", "ask"),
  ...column("i4", "price", "day_high", "day_low", "spread", "freshness"),
  ...column("i4", "index", "liquidity", "liquidity_baseline", "volatility", "volatility_baseline"),
  ...column("f4", "ratio", "imbalance", "tick_return", "vwap_distance"),
];

/** 23 November 2026, 10:00:00 IST, a Monday. */
export const TEN = Date.UTC(2026, 10, 23, 4, 30);

export function instrument(row: number, over: Partial<InstrumentRow> = {}): InstrumentRow {
  return {
    row,
    symbol: `SYM${row}`,
    name: `Company ${row}`,
    exchange: "NSE",
    segment: "NSE_EQ",
    kind: "equity",
    price_scale: 100,
    tick_size: 5,
    has_volume: true,
    is_watched: true,
    ...over,
  };
}

export const FEED: Status["feed"] = {
  up: true,
  reason: "connected",
  cause: "",
  since_ms: TEN - 3_600_000,
  fresh: 2,
  total: 2,
  canary_age_ms: 400,
  last_frame_ms: TEN,
};

/** Nothing measured, nothing wrong. */
export const HEALTH: Status["health"] = {
  outages: [],
  next_attempt_s: null,
  can_take_over: false,
  repair: { symbols: [], total: 0, minutes_open: null, minutes_backfilled: null, minutes_missing: null },
  pulse: { at_ms: TEN, feed_median_ms: null, feed_worst_ms: null, ping_ms: null, rest_ms: null, loop_ms: null },
  clock_offset_ms: null,
  rest_left: {},
  rest_waiting: {},
  rejected: {},
  rejected_samples: [],
  repeats: null,
  corrections: null,
  unheard: [],
};

export function status(over: Partial<Status> = {}): Status {
  return {
    now_ms: TEN,
    rate: 1,
    phases: { NSE_EQ: { phase: "continuous", source: "feed" } },
    feed: { ...FEED },
    health: { ...HEALTH },
    token: { state: "valid", expires_ms: Date.UTC(2026, 10, 23, 22, 0) },
    store: { state: "on", text: "History is kept." },
    recording: { state: "on", text: "Recording." },
    clients: 1,
    counters: {},
    ...over,
  };
}

export function hello(instruments: readonly InstrumentRow[], over: Partial<Hello> = {}): Hello {
  return {
    version: "0.1.0",
    mode: "DEMO",
    columns: COLUMNS,
    freshness: FRESHNESS,
    liquidity: LIQUIDITY,
    volatility: VOLATILITY,
    instruments,
    timeframes: [1, 3, 5, 10, 15, 60],
    status: status(),
    notices: [],
    pulses: [],
    ...over,
  };
}

const HAMMER = {
  symbol: "SYM0",
  minutes: 5,
  start_ms: TEN,
  pattern: "hammer",
  revision: 0,
  value: 100,
  direction: 1,
  strict: true as boolean | null,
  shadow_body_ratio: 2.5 as number | null,
  trend: "down" as ListedPattern[9],
  in_context: true as boolean | null,
  confirmation: 123_600 as number | null,
  confirmed: null as boolean | null,
  invalidation: 123_000 as number | null,
  cases: 40,
  hit_rate: 0.55 as number | null,
  hit_rate_low: 0.4 as number | null,
  hit_rate_high: 0.69 as number | null,
  base_rate: 0.48 as number | null,
  superseded: false,
};

/** A bullish hammer of five minutes with a record, waiting for its confirmation. */
export function patternRow(over: Partial<typeof HAMMER> = {}): ListedPattern {
  const row = { ...HAMMER, ...over };
  return [
    row.symbol, row.minutes, row.start_ms, row.pattern, row.revision, row.value, row.direction, row.strict,
    row.shadow_body_ratio, row.trend, row.in_context, row.confirmation, row.confirmed, row.invalidation,
    row.cases, row.hit_rate, row.hit_rate_low, row.hit_rate_high, row.base_rate, row.superseded,
  ];
}

/** Envelopes of one connection: each has the next sequence number. */
export function envelopes(mode: Hello["mode"] = "DEMO") {
  let seq = 0;
  return {
    next: () => ++seq,
    make: <T extends Envelope["type"]>(
      type: T,
      data: Extract<Envelope, { type: T }>["data"],
    ): Envelope => ({ v: 1, seq: ++seq, ts: TEN, mode, type, data }) as Envelope,
  };
}

export type RowValues = Readonly<Record<string, number>>;

/** A row of the table: fresh, 1,234.50, up from 1,200.00. */
export function rowValues(over: RowValues = {}): RowValues {
  return {
    exchange_ms: TEN,
    last_trade_ms: TEN - 1_000,
    volume: 1_234_567,
    mid: 123_452.5,
    vwap: 123_000,
    vwap_session: 122_900.4,
    last_price: 123_450,
    previous_close: 120_000,
    bid: 123_450,
    ask: 123_455,
    day_high: 124_000,
    day_low: 119_500,
    spread: 5,
    freshness: FRESHNESS.indexOf("fresh"),
    liquidity: LIQUIDITY.indexOf("LIQUID"),
    liquidity_baseline: 1,
    volatility: VOLATILITY.indexOf("NORMAL"),
    volatility_baseline: 1,
    imbalance: 0.25,
    tick_return: 0.0001,
    vwap_distance: 0.0045,
    ...over,
  };
}

const MISSING = -2147483648;

/** Encode rows (number, values); a value that is NaN is missing. */
export function encodeBlock(
  rows: readonly (readonly [number, RowValues])[],
  seq = 1,
  columns: readonly ColumnSpec[] = COLUMNS,
): ArrayBuffer {
  const bytes: number[] = [];
  const put = (size: number, write: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(size));
    write(view);
    bytes.push(...new Uint8Array(view.buffer));
  };
  bytes.push(1, 1);
  put(2, (view) => view.setUint16(0, columns.length, true));
  for (const word of [rows.length, seq, 0]) put(4, (view) => view.setUint32(0, word, true));
  put(8, (view) => view.setFloat64(0, TEN, true));
  for (const [row] of rows) put(4, (view) => view.setInt32(0, row, true));
  while (bytes.length % 8 !== 0) bytes.push(0);
  for (const { name, dtype } of columns) {
    for (const [, values] of rows) {
      const value = values[name] ?? NaN;
      if (dtype === "f8") put(8, (view) => view.setFloat64(0, value, true));
      if (dtype === "f4") put(4, (view) => view.setFloat32(0, value, true));
      if (dtype === "i4") put(4, (view) => view.setInt32(0, Number.isNaN(value) ? MISSING : value, true));
    }
  }
  return new Uint8Array(bytes).buffer;
}
