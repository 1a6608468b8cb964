import { describe, expect, it } from "vitest";
import type { ListedPattern, Series, SeriesRow } from "../src/messages.gen";
import { chosenStudies, loadChoice, saveChoice, toggled } from "../src/lib/choice";
import { type LineItem, stretches, visible } from "../src/lib/lines";
import { marketMs } from "../src/lib/messages";
import { OverlaySeries } from "../src/lib/overlays";
import { placed } from "../src/lib/patternmarks";
import { patternOf } from "../src/lib/patterns";
import { isShown, patternMarks, recordText, storyText } from "../src/lib/patternwords";
import { STUDIES, namesOf, studyText } from "../src/lib/studies";
import { TEN, patternRow } from "./makers";

const at = (minute: number) => marketMs(TEN + minute * 60_000);
const row = (minute: number, ...values: (number | null)[]): SeriesRow => [at(minute), 300 + minute, values, [], ""];
const series = (rows: SeriesRow[], patterns: ListedPattern[] = []): Series => ({
  symbol: "SYM0",
  minutes: 1,
  names: ["ema_9", "rsi_14"],
  bars_needed: 250,
  rows,
  patterns,
});

describe("the rows of the chart", () => {
  it("are looked up by their candle, and what is null is not a number", () => {
    const overlays = new OverlaySeries();
    overlays.replace(series([row(0, 100, null), row(1, 101.5, 40)]));
    expect(overlays.row(at(0))?.values).toEqual([100, NaN]);
    expect(overlays.row(at(2))).toBeNull();
    expect(overlays.newest?.startMs).toBe(at(1));
    expect(overlays.takeChanged()).toEqual([]);
  });
  it("grow by one when a candle settled, which is no longer forming then", () => {
    const overlays = new OverlaySeries();
    overlays.replace(series([row(0, 100, 50)]));
    overlays.update({ symbol: "SYM0", minutes: 1, settled: null, forming: row(1, 101, 51) });
    expect([overlays.newest?.forming, overlays.newest?.startMs]).toEqual([true, at(1)]);
    overlays.update({ symbol: "SYM0", minutes: 1, settled: row(1, 102, 52), forming: null });
    expect(overlays.row(at(1))).toMatchObject({ forming: false, values: [102, 52] });
    expect(overlays.takeChanged().map((one) => one.startMs)).toEqual([at(1)]);
  });
  it("hold the patterns that stand, in their newest revision", () => {
    const overlays = new OverlaySeries();
    const hammer = (over: Parameters<typeof patternRow>[0]) =>
      overlays.take(patternOf(patternRow({ minutes: 1, start_ms: at(0), ...over })));
    overlays.replace(series([], [patternRow({ minutes: 1, start_ms: at(0) })]));
    hammer({ confirmed: true });
    expect(overlays.patterns(at(0)).map((one) => one.confirmed)).toEqual([true]);
    hammer({ revision: 1 });
    hammer({ revision: 0, superseded: true });
    expect(overlays.patterns(at(0)).map((one) => one.revision)).toEqual([1]);
    hammer({ revision: 1, superseded: true });
    expect(overlays.allPatterns()).toEqual([]);
  });
});

describe("a line", () => {
  const item = (time: number, value: number, more: Partial<LineItem> = {}) => ({
    x: time * 10,
    time,
    barColor: "",
    originalData: {
      time: 0 as LineItem["time"], values: [value], begins: false, forming: false, flat: [false], ...more,
    },
  });
  const spans = (bars: Parameters<typeof stretches>[0]) =>
    stretches(bars, 0).map(({ style, points }) => [style, ...points.map(([x]) => x / 10)]);

  it("never crosses a candle that is not there, a value that is not ready, another day", () => {
    expect(spans([item(0, 1), item(1, 2), item(3, 3), item(4, 4)])).toEqual([["settled", 0, 1], ["settled", 3, 4]]);
    expect(spans([item(0, 1), item(1, NaN), item(2, 3)])).toEqual([["settled", 0], ["settled", 2]]);
    expect(spans([item(0, 1), item(1, 2, { begins: true })])).toEqual([["settled", 0], ["settled", 1]]);
  });
  it("leads out of the view from where its neighbours are, not from where they were in another view", () => {
    const bars = [{ ...item(0, 1), x: 700 }, item(1, 2), item(2, 3), { ...item(3, 4), x: NaN }];
    const drawn = (from: number, to: number) =>
      visible({ bars, visibleRange: { from, to }, barSpacing: 10 }).map(({ x }) => x);
    expect(drawn(1, 3)).toEqual([0, 10, 20, 30]);
    expect(drawn(1, 2)).toEqual([0, 10, 20]);
    expect(visible({ bars: [], visibleRange: { from: 0, to: 0 }, barSpacing: 10 })).toEqual([]);
  });
  it("goes on to what forms and to a flat window in another style", () => {
    const bars = [item(0, 1), item(1, 50, { flat: [true] }), item(2, 2), item(3, 3, { forming: true })];
    expect(spans(bars)).toEqual([["settled", 0], ["flat", 0, 1], ["settled", 1, 2], ["forming", 2, 3]]);
  });
});

describe("what is chosen", () => {
  const storage = (text: string | null) => {
    const kept = new Map(text === null ? [] : [["ticktick.studies", text]]);
    return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  };
  it("is kept in the browser, and what nobody knows any more is left out", () => {
    const kept = storage("rsi nonsense ema|all");
    const choice = loadChoice(kept);
    expect(chosenStudies(choice).map((study) => study.id)).toEqual(["ema", "rsi"]);
    saveChoice(kept, toggled(toggled(choice, "rsi"), "macd"));
    expect([...loadChoice(kept).studies]).toEqual(["ema", "macd"]);
    expect(loadChoice(kept).patterns).toBe("all");
  });
  it("may be nothing at all", () => {
    const kept = storage(null);
    saveChoice(kept, { studies: new Set(), patterns: "none" });
    expect(loadChoice(kept)).toEqual({ studies: new Set(), patterns: "none" });
  });
  it("names each published value once", () => {
    const names = namesOf(STUDIES);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("supertrend_side");
  });
});

describe("patterns in words", () => {
  const pattern = (over: Parameters<typeof patternRow>[0]) => patternOf(patternRow(over));
  it("tell what was claimed, what came of it and how often that was right", () => {
    const record = { cases: 31, hit_rate: 12 / 31, hit_rate_low: 0.237, hit_rate_high: 0.562, base_rate: 0.48 };
    const hammer = pattern({
      direction: 1, strict: true, in_context: true, confirmed: false, invalidation: 139_170, ...record,
    });
    expect(storyText(hammer, 100)).toBe(
      "bullish, in context, strict, not confirmed; " +
        "right 12 of 31 times, 95 % interval 24 % to 56 %, base rate 48 %; fails beyond 1,391.70",
    );
  });
  it("claim nothing without enough cases or a direction", () => {
    const record = { cases: 1, rate: null, low: null, high: null, baseRate: null };
    expect(recordText(record)).toBe("not enough history (1 case)");
    expect(storyText(pattern({ pattern: "doji", direction: 0 }), 100)).toBe("foretells no direction");
  });
  it("are marked by the choice, one mark for each candle and direction", () => {
    const found = [
      pattern({ start_ms: at(0), in_context: true }),
      pattern({ start_ms: at(0), pattern: "belt_hold", in_context: false }),
      pattern({ start_ms: at(0), pattern: "harami", direction: -1, in_context: false }),
    ];
    const candle = { startMs: at(0), low: 100_00, high: 101_00, state: "final" };
    const marks = (choice: "none" | "context" | "all") =>
      patternMarks([found], () => candle as never, choice, 5, 100).map(({ text, filled, direction }) => [text, direction, filled]);
    expect(marks("all")).toEqual([["hammer +1 (5m)", 1, true], ["harami (5m)", -1, false]]);
    expect(marks("context")).toEqual([["hammer (5m)", 1, true]]);
    expect(marks("none")).toEqual([]);
    expect(isShown(pattern({ in_context: null }), "context")).toBe(false);
  });
  it("stand where their names touch nothing and stay inside", () => {
    const box = (left: number, top = 10) => ({ left, top, width: 50, height: 14 });
    const arrow = { left: 205, top: 12, width: 8, height: 8 };
    expect(placed([box(100), box(120), box(170), box(-5), box(280)], [arrow], 300, 100)).toEqual(
      [true, false, false, false, false],
    );
    expect(placed([box(100), box(100, 30)], [], 300, 100)).toEqual([true, true]);
  });
});

it("no two lines of one pane look the same", () => {
  const lines = STUDIES.filter((study) => study.place === "price").flatMap((study) => study.outputs);
  // the two of a pair of bands are told apart by their place
  const looks = lines.filter(({ name }) => !name.includes("lower")).map(({ ink, dash, width }) => `${ink} ${dash} ${width}`);
  expect(new Set(looks).size).toBe(looks.length);
});

it("a value is rupees where it is a price, and a dash where it is not known", () => {
  expect(studyText(139_417.55, "price", 100)).toBe("1,394.18");
  expect(studyText(-57.2, "price", 100)).toBe("−0.57");
  expect(studyText(45.678, "percent", 100)).toBe("45.68");
  expect(studyText(-0.128, "ratio", 100)).toBe("−0.13");
  expect(studyText(NaN, "percent", 100)).toBe("—");
});
