/** The studies on a chart library that refuses, as the real one does, what comes out of order. */

import type { IChartApi } from "lightweight-charts";
import { expect, it } from "vitest";
import { chartTime } from "../src/lib/bars";
import { StudyLayers } from "../src/lib/layers";
import { marketMs } from "../src/lib/messages";
import { OverlaySeries, type StudyRow } from "../src/lib/overlays";
import { STUDIES } from "../src/lib/studies";
import { TEN } from "./makers";

const at = (minute: number) => marketMs(TEN + minute * 60_000);

interface Item {
  readonly time: number;
  readonly values?: readonly number[];
  readonly begins?: boolean;
  readonly forming?: boolean;
}

/** One drawn line: its items by time. */
class Line {
  readonly items = new Map<number, Item>();

  setData(items: readonly Item[]): void {
    items.forEach((item) => this.items.set(item.time, item));
  }

  update(item: Item, isOld = false): void {
    const newest = Math.max(...this.items.keys());
    if (item.time < newest && !isOld) throw new Error("Cannot update oldest data");
    this.items.set(item.time, item);
  }

  createPriceLine(): void {}
  priceScale() {
    return { applyOptions: () => undefined };
  }
}

function drawn(id: string, values: readonly (readonly number[])[]) {
  const study = STUDIES.find((one) => one.id === id);
  if (study === undefined) throw new Error(`no study ${id}`);
  const names = [...study.outputs.map((output) => output.name), ...(study.side === undefined ? [] : [study.side])];
  const overlays = new OverlaySeries();
  const rows = values.map((row, minute) => [at(minute), 300, row, [], ""] as const);
  overlays.replace({ symbol: "A", minutes: 1, names, bars_needed: 250, rows, patterns: [] });
  const line = new Line();
  const chart = { addCustomSeries: () => line, panes: () => [], removeSeries: () => undefined };
  const inks = { a: "", b: "", c: "", d: "", e: "" };
  const colours = { inks, stale: "", muted: "", panel: "" };
  const layers = new StudyLayers(chart as unknown as IChartApi, () => null, colours, "");
  layers.load([study], overlays, 100);
  const item = (minute: number): Item | undefined => line.items.get(chartTime(at(minute)));
  return { layers, item };
}

const row = (minute: number, value: number, forming = false): StudyRow => ({
  startMs: at(minute), bars: 301, values: [value], degenerate: [], withheld: "", forming,
});

it("a settled row takes the place of the forming one, in rupees where it is a price", () => {
  const { layers, item } = drawn("atr", [[100], [110]]);
  layers.update([], row(2, 120, true), 100);
  expect(item(2)).toMatchObject({ values: [1.2], forming: true });
  layers.update([row(2, 130)], row(3, 140, true), 100);
  expect([item(2), item(3)]).toMatchObject([{ values: [1.3], forming: false }, { values: [1.4], forming: true }]);
});

it("what forms no longer is taken away, and what comes late stands in its place", () => {
  const { layers, item } = drawn("rsi", [[40], [41]]);
  layers.update([], row(3, 43, true), 100);
  layers.update([], null, 100);
  expect(item(3)).toEqual({ time: chartTime(at(3)) });
  layers.update([row(2, 42)], null, 100);
  expect(item(2)).toMatchObject({ values: [42] });
});

it("a line begins anew where the SuperTrend changes sides", () => {
  const { item } = drawn("supertrend", [[100, 1], [101, 1], [140, -1]]);
  expect([1, 2].map((minute) => item(minute)?.begins)).toEqual([false, true]);
});

it("a row without values is blank", () => {
  const { item } = drawn("rsi", [[NaN], [41]]);
  expect(item(0)).toEqual({ time: chartTime(at(0)) });
});
