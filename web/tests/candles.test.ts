import { describe, expect, it } from "vitest";
import type { CandleState } from "../src/messages.gen";
import { type Colours, candleBar, chartTime, marketTime, marksOf, points } from "../src/lib/bars";
import { type Candle, CandleSeries, candleOf, missingStarts, stateText } from "../src/lib/candles";
import { marketMs, priceUnits } from "../src/lib/messages";
import { TEN } from "./makers";

const at = (minute: number) => marketMs(TEN + minute * 60_000);

function candle(minute: number, over: Partial<Candle> = {}): Candle {
  return {
    startMs: at(minute),
    open: priceUnits(10_000),
    high: priceUnits(10_100),
    low: priceUnits(9_900),
    close: priceUnits(10_050),
    volume: 10,
    state: "final",
    confirmed: true,
    revision: 0,
    ...over,
  };
}

const COLOURS: Colours = {
  up: "#00aa00",
  down: "#aa0000",
  text: "#111111",
  muted: "#222222",
  grid: "#333333",
  panel: "#444444",
  accent: "#555555",
  stale: "#666666",
  control: "#777777",
  inks: { a: "#a00000", b: "#b00000", c: "#c00000", d: "#d00000", e: "#e00000" },
};

describe("tradeless minutes", () => {
  it("leave a gap between two candles of one day", () => {
    expect(missingStarts(at(0), at(3), 1)).toEqual([at(1), at(2)]);
    expect(missingStarts(at(0), at(10), 5)).toEqual([at(5)]);
    expect(missingStarts(at(0), at(1), 1)).toEqual([]);
  });
  it("are not counted over the night", () => {
    const close = marketMs(Date.UTC(2026, 10, 20, 9, 59));
    expect(missingStarts(close, marketMs(Date.UTC(2026, 10, 23, 3, 45)), 1)).toEqual([]);
  });
  it("stay blank in the chart, and so does a missing candle", () => {
    const drawn = [...points([candle(0), candle(2, { state: "missing" })], undefined, 1)];
    expect(drawn.map((point) => point.candle !== null)).toEqual([true, false, false]);
  });
});

describe("a drawn candle", () => {
  const body = (state: CandleState) => {
    const one = candle(0, { state });
    return candleBar({ time: chartTime(one.startMs), candle: one }, 100, COLOURS);
  };
  it("is in rupees", () => {
    expect(body("final")).toMatchObject({ open: 100, high: 101, low: 99, close: 100.5 });
  });
  it("looks different while it forms, while it is provisional and when it is final", () => {
    const looks = (["forming", "provisional", "final"] as const).map((state) => Reflect.get(body(state), "color"));
    expect(new Set(looks).size).toBe(3);
    expect(looks[0]).toBe(COLOURS.panel);
    expect(marksOf([candle(0, { state: "provisional" }), candle(1)], 100, 1).hatched).toHaveLength(1);
  });
  it("carries a wrench below its low when it was repaired", () => {
    const { repaired } = marksOf([candle(0), candle(1, { state: "backfilled" })], 100, 1);
    expect(repaired).toEqual([{ time: chartTime(at(1)), low: 99 }]);
  });
  it("that is missing leaves a named gap, one for neighbours", () => {
    const missing = (minute: number) => candle(minute, { state: "missing" });
    const five = [0, 5, 10, 25].map(missing);
    expect(marksOf([missing(3), candle(4), missing(5), missing(6)], 100, 1).missing).toEqual([
      { from: chartTime(at(3)), to: chartTime(at(3)), text: "missing 1 min" },
      { from: chartTime(at(5)), to: chartTime(at(6)), text: "missing 2 min" },
    ]);
    expect(marksOf(five, 100, 5).missing.map((run) => run.text)).toEqual(["missing 15 min", "missing 5 min"]);
  });
  it("that is missing has no numbers, and never a zero", () => {
    const read = candleOf([at(0), null, null, null, null, null, "missing", false, 1]);
    expect([read.open, read.high, read.low, read.close, read.volume]).toEqual([NaN, NaN, NaN, NaN, NaN]);
  });
  it("stands at Indian hours on the axis", () => {
    expect(new Date(chartTime(at(0)) * 1000).getUTCHours()).toBe(10);
    expect(marketTime(chartTime(at(7)))).toBe(at(7));
  });
});

describe("the series", () => {
  it("tells each change once", () => {
    const series = new CandleSeries();
    series.replace([candle(0)]);
    series.merge(candle(1));
    expect(series.takeChanged()).toHaveLength(1);
    expect(series.takeChanged()).toHaveLength(0);
  });
  it("puts a candle that arrives late into its place and has all drawn again", () => {
    const series = new CandleSeries();
    series.replace([candle(0), candle(2)]);
    const before = series.generation;
    series.merge(candle(1));
    expect(series.candles.map((one) => one.startMs)).toEqual([at(0), at(1), at(2)]);
    expect(series.generation).toBe(before + 1);
  });
  it("stays bounded", () => {
    const series = new CandleSeries();
    for (let minute = 0; minute < 5_000; minute += 1) series.merge(candle(minute));
    expect(series.candles.length).toBeLessThanOrEqual(2_000);
    expect(series.last?.startMs).toBe(at(4_999));
  });
  it("says in words how far a candle can be trusted", () => {
    expect(stateText(candle(0, { confirmed: false }))).toBe("final, unconfirmed");
    expect(stateText(candle(0, { revision: 2 }))).toBe("final, revision 2");
  });
});
