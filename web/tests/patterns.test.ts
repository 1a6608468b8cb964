import { describe, expect, it } from "vitest";
import type { CloseRow, ListedPattern } from "../src/messages.gen";
import { istDay } from "../src/lib/clock";
import { CloseBook, drift, sparkPath } from "../src/lib/closes";
import { symbolName, wallMs } from "../src/lib/messages";
import { PatternBook, patternName, standing } from "../src/lib/patterns";
import { ReadingBook } from "../src/lib/readings";
import { Store } from "../src/lib/store";
import { TEN, envelopes, hello, instrument, patternRow } from "./makers";

const minute = 60_000;
const FRAMES = [1, 3, 5, 10, 15, 60];

function bookOf(...rows: ListedPattern[]): PatternBook {
  const book = new PatternBook();
  book.take({ is_all: true, patterns: rows });
  return book;
}

describe("the day's patterns", () => {
  it("are told in price units, and what is not known is not a number", () => {
    const [pattern] = bookOf(patternRow({ confirmation: 123_450, invalidation: null })).of("SYM0", 5);
    expect(pattern?.confirmation).toBe(123_450);
    expect(pattern?.invalidation).toBeNaN();
    expect(pattern === undefined ? "" : patternName(pattern)).toBe("Hammer");
  });
  it("belong to one symbol and timeframe, oldest first", () => {
    const book = bookOf(
      patternRow({ start_ms: TEN + 5 * minute }),
      patternRow({ start_ms: TEN }),
      patternRow({ minutes: 1 }),
      patternRow({ symbol: "SYM1" }),
    );
    expect(book.of("SYM0", 5).map((one) => one.startMs - TEN)).toEqual([0, 5 * minute]);
    expect(book.of("SYM1", 1)).toEqual([]);
  });
  it("are judged and superseded in place, and a new revision stands beside the old one", () => {
    const book = bookOf(patternRow());
    const before = book.versionOf("SYM0");
    book.update({ pattern: patternRow({ confirmed: true }) });
    book.update({ pattern: patternRow({ confirmed: true, superseded: true }) });
    book.update({ pattern: patternRow({ revision: 1 }) });
    const line = book.of("SYM0", 5);
    expect(line.map((one) => [one.revision, one.confirmed, one.superseded])).toEqual([
      [0, true, true],
      [1, null, false],
    ]);
    expect(book.versionOf("SYM0")).toBe(before + 3);
  });
  it("are listed by when they ended, the longer timeframe first", () => {
    const book = bookOf(
      patternRow({ minutes: 60, start_ms: TEN - 60 * minute }),
      patternRow({ minutes: 5, start_ms: TEN - 5 * minute }),
      patternRow({ minutes: 1, start_ms: TEN }),
      patternRow({ minutes: 15, start_ms: TEN - 30 * minute }),
    );
    expect(book.newest().map((one) => one.minutes)).toEqual([1, 60, 5, 15]);
  });
  it("are the newest sixty of a symbol and timeframe", () => {
    const book = new PatternBook();
    for (let at = 0; at < 100; at += 1) {
      book.update({ pattern: patternRow({ minutes: 1, start_ms: TEN + at * minute }) });
    }
    expect(book.of("SYM0", 1).map((one) => (one.startMs - TEN) / minute)).toEqual(
      Array.from({ length: 60 }, (_, place) => 40 + place),
    );
  });
  it("are replaced by a whole new telling", () => {
    const book = bookOf(patternRow());
    book.take({ is_all: true, patterns: [] });
    expect(book.newest()).toEqual([]);
  });
});

describe("the pattern that still stands", () => {
  const at = (last: number, ...rows: ListedPattern[]): string | undefined =>
    standing(bookOf(...rows), "SYM0", FRAMES, istDay(TEN), last)?.name;

  it("is the newest with a direction", () => {
    const older = patternRow({ start_ms: TEN - 5 * minute });
    const doji = patternRow({ pattern: "doji", direction: 0, invalidation: null });
    expect(at(123_450, older, doji)).toBe("hammer");
    expect(at(123_450, older, patternRow({ pattern: "engulfing" }))).toBe("engulfing");
  });
  it("is none that was superseded, or refuted by the next candle", () => {
    expect(at(123_450, patternRow({ superseded: true }))).toBeUndefined();
    expect(at(123_450, patternRow({ confirmed: false }))).toBeUndefined();
    expect(at(123_450, patternRow({ confirmed: true }))).toBe("hammer");
  });
  it("falls with the price that proves it wrong, and not by touching it", () => {
    const bullish = patternRow({ invalidation: 123_000 });
    expect([at(123_000, bullish), at(122_995, bullish)]).toEqual(["hammer", undefined]);
    const bearish = patternRow({ direction: -1, invalidation: 124_000 });
    expect([at(124_000, bearish), at(124_005, bearish)]).toEqual(["hammer", undefined]);
  });
  it("is of the same day", () => {
    expect(at(123_450, patternRow({ start_ms: TEN - 86_400_000 }))).toBeUndefined();
  });
  it("stands while no price is known", () => {
    expect(at(NaN, patternRow())).toBe("hammer");
  });
});

describe("the last closes", () => {
  const closes = (...rows: (number | null)[]): CloseRow[] =>
    rows.map((close, place) => ["SYM0", TEN + place * minute, close] as const);

  function told(...rows: CloseRow[]): CloseBook {
    const book = new CloseBook();
    book.take({ is_all: true, closes: rows });
    return book;
  }
  it("are thirty, in order of their minutes, and a correction takes its own place", () => {
    const book = told(...closes(...Array.from({ length: 40 }, (_, place) => 100 + place)));
    book.take({ is_all: false, closes: [["SYM0", TEN + 39 * minute, 7]] });
    expect(book.of("SYM0").length).toBe(30);
    expect([book.of("SYM0")[0]?.close, book.of("SYM0").at(-1)?.close]).toEqual([110, 7]);
  });
  it("are one line from the lowest to the highest close", () => {
    expect(sparkPath(told(...closes(100, 110, 105)).of("SYM0"), 58, 10)).toBe(
      "M54.0 10.0h0L56.0 0.0L58.0 5.0",
    );
  });
  it("leave a gap where a minute was lost or nobody traded", () => {
    const lost = sparkPath(told(...closes(100, null, 105)).of("SYM0"), 58, 10);
    const untraded = sparkPath(told(["SYM0", TEN, 100], ["SYM0", TEN + 2 * minute, 105]).of("SYM0"), 58, 10);
    expect([lost, untraded].map((path) => path.match(/[ML]/g)?.join(""))).toEqual(["MM", "MM"]);
  });
  it("are a middle line where nothing moves and none where too little is known", () => {
    expect(sparkPath(told(...closes(100, 100)).of("SYM0"), 58, 10)).toBe("M56.0 5.0h0L58.0 5.0");
    expect([sparkPath(told(...closes(100, null)).of("SYM0"), 58, 10), drift(told().of("SYM0"))]).toEqual(["", NaN]);
    expect(drift(told(...closes(100, null, 105)).of("SYM0"))).toBeCloseTo(0.05);
  });
});

describe("the readings", () => {
  it("are not numbers while they are warming", () => {
    const book = new ReadingBook();
    expect(book.of("SYM0", 5).rsi).toBeNaN();
    book.take({ is_all: true, readings: [["SYM0", 5, TEN, null, false, null, null, ""]] });
    expect(book.of("SYM0", 5).atrPercent).toBeNaN();
    book.take({ is_all: false, readings: [["SYM0", 5, TEN, 50, true, 0.4, 1.2, ""]] });
    expect(book.of("SYM0", 5)).toMatchObject({ rsi: 50, isFlat: true, atrPercent: 0.4, relativeVolume: 1.2 });
  });
});

describe("the store", () => {
  it("takes what candles say and paints who shows it", () => {
    const store = new Store();
    const from = envelopes();
    store.receive(from.make("hello", hello([instrument(0)])), wallMs(0));
    const told = { is_all: true, patterns: [patternRow()] };
    expect(store.receive(from.make("patterns", told), wallMs(0))).toContain("patterns");
    expect(store.receive(from.make("pattern", { pattern: patternRow({ confirmed: true }) }), wallMs(0))).toContain("chart");
    expect(store.patterns.of("SYM0", 5).map((one) => one.confirmed)).toEqual([true]);
    store.receive(from.make("closes", { is_all: true, closes: [["SYM0", TEN, 5]] }), wallMs(0));
    store.receive(from.make("readings", { is_all: true, readings: [["SYM0", 1, TEN, 61, false, 1, 2, ""]] }), wallMs(0));
    expect(store.closes.of("SYM0").length).toBe(1);
    expect(store.readings.of(symbolName("SYM0"), 1).rsi).toBe(61);
  });
});
