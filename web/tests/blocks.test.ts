import { describe, expect, it } from "vitest";
import { BlockError, applyBlock, decodeBlock, emptyTable } from "../src/lib/blocks";
import { COLUMNS, TEN, encodeBlock, rowValues } from "./makers";

describe("a block", () => {
  it("tells its sequence number, its time and its rows", () => {
    const block = decodeBlock(encodeBlock([[2, rowValues()], [0, rowValues()]], 77), COLUMNS);
    expect([block.seq, block.tsMs, [...block.rows]]).toEqual([77, TEN, [2, 0]]);
  });
  it("holds every column of every row, for odd and even numbers of rows", () => {
    for (const count of [1, 2, 3, 4]) {
      const rows = Array.from({ length: count }, (_, row) => [row, rowValues({ volume: row, bid: 10 + row })] as const);
      const block = decodeBlock(encodeBlock(rows), COLUMNS);
      expect([...(block.columns.get("volume") ?? [])]).toEqual(rows.map((_, row) => row));
      expect([...(block.columns.get("bid") ?? [])]).toEqual(rows.map((_, row) => 10 + row));
      expect(block.columns.get("imbalance")?.[count - 1]).toBe(0.25);
    }
  });
  it("may be empty", () => {
    expect(decodeBlock(encodeBlock([]), COLUMNS).rows.length).toBe(0);
  });
  it("of another version, width or length is refused", () => {
    const wrongVersion = encodeBlock([[0, rowValues()]]);
    new DataView(wrongVersion).setUint8(1, 2);
    const good = encodeBlock([[0, rowValues()]]);
    expect(() => decodeBlock(wrongVersion, COLUMNS)).toThrow(BlockError);
    expect(() => decodeBlock(good, COLUMNS.slice(1))).toThrow(BlockError);
    expect(() => decodeBlock(good.slice(0, -4), COLUMNS)).toThrow(BlockError);
    expect(() => decodeBlock(new ArrayBuffer(8), COLUMNS)).toThrow(BlockError);
  });
});

describe("a table", () => {
  it("changes only in the rows of the block", () => {
    const table = emptyTable(3);
    applyBlock(table, decodeBlock(encodeBlock([[1, rowValues({ last_price: 500 })]]), COLUMNS));
    expect([...table.last_price]).toEqual([NaN, 500, NaN]);
  });
  it("holds NaN where a value is missing, never the marker and never zero", () => {
    const table = emptyTable(1);
    const missing = { last_price: NaN, volume: NaN, imbalance: NaN };
    applyBlock(table, decodeBlock(encodeBlock([[0, rowValues(missing)]]), COLUMNS));
    expect([table.last_price[0], table.volume[0], table.imbalance[0]]).toEqual([NaN, NaN, NaN]);
  });
  it("forgets a value that became unknown", () => {
    const table = emptyTable(1);
    applyBlock(table, decodeBlock(encodeBlock([[0, rowValues()]]), COLUMNS));
    applyBlock(table, decodeBlock(encodeBlock([[0, rowValues({ bid: NaN })]]), COLUMNS));
    expect(table.bid[0]).toBeNaN();
  });
  it("is the same after deltas as after one full block: the last value of each row wins", () => {
    const deltas = [[0, 100], [1, 200], [0, 105], [2, 300], [1, 195]] as const;
    const table = emptyTable(3);
    for (const [row, last_price] of deltas) {
      applyBlock(table, decodeBlock(encodeBlock([[row, rowValues({ last_price })]]), COLUMNS));
    }
    const whole = emptyTable(3);
    const last = new Map(deltas);
    const rows = [...last].map(([row, last_price]) => [row, rowValues({ last_price })] as const);
    applyBlock(whole, decodeBlock(encodeBlock(rows), COLUMNS));
    expect(table).toEqual(whole);
  });
});
