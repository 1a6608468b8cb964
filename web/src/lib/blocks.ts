/** Binary column blocks: the touched rows of the table, little-endian, one array per column. */

import {
  BLOCK_HEADER_BYTES,
  BLOCK_KIND,
  BLOCK_VERSION,
  type ColumnName,
  type ColumnSpec,
  MISSING_I4,
} from "../messages.gen";

const KNOWN_COLUMNS: Record<ColumnName, true> = {
  exchange_ms: true,
  received_ms: true,
  seq: true,
  last_trade_ms: true,
  volume: true,
  mid: true,
  microprice: true,
  vwap: true,
  vwap_session: true,
  last_price: true,
  previous_close: true,
  bid: true,
  ask: true,
  day_high: true,
  day_low: true,
  spread: true,
  freshness: true,
  warm: true,
  trade_sign: true,
  spread_bps: true,
  spread_ticks: true,
  liquidity: true,
  liquidity_baseline: true,
  volatility: true,
  volatility_baseline: true,
  imbalance: true,
  imbalance_1: true,
  ofi: true,
  rv: true,
  tick_return: true,
  vwap_distance: true,
};
const COLUMNS = Object.keys(KNOWN_COLUMNS) as ColumnName[];

export type Values = Float64Array | Float32Array | Int32Array;

export interface Block {
  readonly seq: number;
  readonly tsMs: number;
  readonly rows: Int32Array;
  readonly columns: ReadonlyMap<string, Values>;
}

/** A block that does not hold what the hello message promised. */
export class BlockError extends Error {}

/**
 * Read one block without copying.
 * Throws BlockError when kind, version, number of columns or length differ from `specs`.
 */
export function decodeBlock(buffer: ArrayBuffer, specs: readonly ColumnSpec[]): Block {
  if (buffer.byteLength < BLOCK_HEADER_BYTES) throw new BlockError("block shorter than its header");
  const view = new DataView(buffer);
  if (view.getUint8(0) !== BLOCK_KIND || view.getUint8(1) !== BLOCK_VERSION) {
    throw new BlockError(`block kind ${view.getUint8(0)} version ${view.getUint8(1)} is not known`);
  }
  if (view.getUint16(2, true) !== specs.length) {
    throw new BlockError(`block has ${view.getUint16(2, true)} columns, hello ${specs.length}`);
  }
  const count = view.getUint32(4, true);
  const starts = columnStarts(count, specs);
  if (starts.end !== buffer.byteLength) {
    throw new BlockError(`block has ${buffer.byteLength} bytes, ${starts.end} expected`);
  }
  return {
    seq: view.getUint32(8, true),
    tsMs: view.getFloat64(16, true),
    rows: new Int32Array(buffer, BLOCK_HEADER_BYTES, count),
    columns: new Map(
      specs.map((spec, index) => [spec.name, column(buffer, starts.at[index] ?? 0, count, spec)]),
    ),
  };
}

function columnStarts(count: number, specs: readonly ColumnSpec[]): { at: number[]; end: number } {
  let end = Math.ceil((BLOCK_HEADER_BYTES + 4 * count) / 8) * 8;
  const at = specs.map((spec) => {
    const start = end;
    end += count * (spec.dtype === "f8" ? 8 : 4);
    return start;
  });
  return { at, end };
}

function column(buffer: ArrayBuffer, start: number, count: number, spec: ColumnSpec): Values {
  switch (spec.dtype) {
    case "f8":
      return new Float64Array(buffer, start, count);
    case "f4":
      return new Float32Array(buffer, start, count);
    case "i4":
      return new Int32Array(buffer, start, count);
  }
}

/** The whole table: one array per column, one slot per instrument, NaN where not known. */
export type Table = Readonly<Record<ColumnName, Float64Array>>;

export function emptyTable(rows: number): Table {
  const table: Partial<Record<ColumnName, Float64Array>> = {};
  for (const name of COLUMNS) table[name] = new Float64Array(rows).fill(NaN);
  return table as Table;
}

/** A table with at least so many rows that keeps what it holds. */
export function grown(table: Table, rows: number): Table {
  if (rows <= table.last_price.length) return table;
  const larger = emptyTable(rows);
  for (const name of COLUMNS) larger[name].set(table[name]);
  return larger;
}

/** Write the block's rows into the table; every other row keeps its values. */
export function applyBlock(table: Table, block: Block): void {
  for (const name of COLUMNS) {
    const from = block.columns.get(name);
    if (from === undefined) continue;
    const into = table[name];
    const whole = from instanceof Int32Array;
    block.rows.forEach((row, index) => {
      const value = from[index] ?? NaN;
      into[row] = whole && value === MISSING_I4 ? NaN : value;
    });
  }
}
