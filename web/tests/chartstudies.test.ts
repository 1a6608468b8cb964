/** The chart's indicators and patterns as the user chooses and reads them. */

import { afterEach, beforeEach, expect, it } from "vitest";
import type { CandleRow, Series } from "../src/messages.gen";
import { namesOf } from "../src/lib/studies";
import { chosenStudies } from "../src/lib/choice";
import { tableRows } from "../src/lib/table";
import { TEN, instrument, patternRow, rowValues } from "./makers";
import { type Screen, all, find, id, openScreen, read } from "./screen";

let screen: Screen;

beforeEach(async () => {
  screen = await openScreen();
  screen.connect([instrument(0)]);
});

afterEach(() => screen.close());

const MINUTE = 60_000;
const candle = (minute: number, state: CandleRow[6]): CandleRow =>
  [TEN + minute * MINUTE, 120_000, 124_000, 119_000, 123_450, 1_500, state, state === "final", 0] as const;

/** Values that tell their place: 1,000.00 for the first name, 1,001.00 for the second. */
function series(over: Partial<Series> = {}): Series {
  const names = namesOf(chosenStudies(screen.page.choice));
  const row = (minute: number, bars: number, degenerate: string[] = []): Series["rows"][number] =>
    [TEN + minute * MINUTE, bars, names.map((_, at) => 100_000 + at * 100), degenerate, ""];
  const rows = [row(0, 120), row(1, 250, ["rsi_14"])];
  const patterns = [patternRow({ minutes: 1, start_ms: TEN + MINUTE, in_context: true })];
  return { symbol: "SYM0", minutes: 1, names, bars_needed: 250, rows, patterns, ...over };
}

async function load(): Promise<void> {
  const candles = [candle(0, "final"), candle(1, "final"), candle(2, "forming")];
  screen.say(screen.from.make("candles", { symbol: "SYM0", minutes: 1, candles }));
  screen.say(screen.from.make("series", series()));
  await screen.settle();
}

const sent = (): unknown[] => screen.world.socket.sent.map((text) => JSON.parse(text) as unknown);
const value = (name: string): string => read(`[data-name="${name}"]`);

it("asks for what this browser chose before it asks for the chart", () => {
  expect(sent().slice(-2)).toEqual([
    { type: "studies", names: namesOf(chosenStudies(screen.page.choice)), patterns: true },
    { type: "view", symbol: "SYM0", minutes: 1 },
  ]);
});

it("reads the newest candle: in rupees, with its time, warming and flat windows in words", async () => {
  await load();
  expect(value("ema_9")).toBe("9 1,000.00");
  expect(value("ema_21")).toBe("21 1,001.00");
  expect(value("rsi_14")).toContain("flat");
  expect(read(id("studies-state"))).toBe("10:01");
  const forming: Series["rows"][number] = [TEN + 2 * MINUTE, 251, series().names.map(() => 200_000), [], ""];
  screen.say(screen.from.make("reading", { symbol: "SYM0", minutes: 1, settled: null, forming }));
  expect(read(id("studies-state"))).toBe("10:02, forming");
  expect(value("ema_9")).toBe("9 2,000.00");
});

it("says why values are withheld, in the readout and in the table", async () => {
  await load();
  const why = "the open of 10:02 is -50.0% from the close before it";
  const settled: Series["rows"][number] = [TEN + 2 * MINUTE, 251, series().names.map(() => null), [], why];
  screen.say(screen.from.make("reading", { symbol: "SYM0", minutes: 1, settled, forming: null }));
  expect(read(id("studies-state"))).toBe(`10:02, ${why}`);
  expect(value("ema_9")).toBe("9 —");
  const rows = tableRows(screen.page.store, screen.page.choice, 1, 100);
  expect(rows[0]?.values[0]).toBe("withheld");
});

it("hatches what forms while nobody can vouch for the price", async () => {
  await load();
  const forming: Series["rows"][number] = [TEN + 2 * MINUTE, 251, series().names.map(() => 200_000), [], ""];
  screen.say(screen.from.make("reading", { symbol: "SYM0", minutes: 1, settled: null, forming }));
  const hatched = (): number => all(`${id("studies")} .hatched`).length;
  screen.prices(rowValues());
  screen.page.tick();
  screen.paint();
  expect(hatched()).toBe(0);
  screen.say(screen.from.make("freshness", { symbol: "SYM0", freshness: "stale" }));
  screen.page.tick();
  screen.paint();
  expect(hatched()).toBeGreaterThan(0);
});

it("walks the candles by keys: values, patterns and their past follow", async () => {
  await load();
  const chart = find(id("chart"));
  screen.press("ArrowLeft", chart);
  screen.press("ArrowLeft", chart);
  expect(read(id("patterns"))).toBe(
    "▲ hammer 1m: bullish, in context, strict, not yet confirmed; " +
      "right 22 of 40 times, 95 % interval 40 % to 69 %, base rate 48 %; fails beyond 1,230.00",
  );
  screen.press("ArrowLeft", chart);
  expect(read(id("studies-state"))).toBe("10:00, warming: 120 of 250 candles");
  expect(read(id("patterns"))).toBe("");
});

it("draws what was chosen, marks what stands, and takes a superseded pattern away", async () => {
  await load();
  expect(screen.world.drawn.at(-1)).toBe("studies [ema vwap rsi] x 2");
  expect(screen.world.marks.map((mark) => mark.text)).toEqual(["hammer (1m)"]);
  const superseded = patternRow({ minutes: 1, start_ms: TEN + MINUTE, superseded: true });
  screen.say(screen.from.make("pattern", { pattern: superseded }));
  expect(screen.world.marks).toEqual([]);
});

it("keeps a pattern that was told while the series was made", async () => {
  await load();
  const told = patternRow({ minutes: 1, start_ms: TEN, pattern: "piercing", in_context: true });
  screen.say(screen.from.make("pattern", { pattern: told }));
  screen.say(screen.from.make("series", series()));
  expect(screen.world.marks.map((mark) => mark.text).toSorted()).toEqual(["hammer (1m)", "piercing (1m)"]);
});

it("is chosen in a menu by keys, at once, and kept", async () => {
  await load();
  screen.press("i");
  await screen.settle();
  expect((find(id("indicators")) as HTMLDialogElement).open).toBe(true);
  (find('[name="macd"]') as HTMLInputElement).click();
  screen.paint();
  expect(sent().at(-1)).toMatchObject({ type: "studies", names: expect.arrayContaining(["macd_hist"]) as unknown });
  expect(screen.world.kept.get("ticktick.studies")).toBe("ema vwap rsi macd|context");
  expect(all('[data-name="macd"]')).toHaveLength(1);
  (find('[name="patterns"][value="none"]') as HTMLInputElement).click();
  screen.paint();
  expect(screen.world.marks).toEqual([]);
});

it("takes the VWAP and its bands off and on by one key", async () => {
  await load();
  screen.press("v");
  expect(all('[data-name^="vwap"]')).toHaveLength(0);
  screen.press("v");
  expect(all('[data-name^="vwap"]')).toHaveLength(7);
});

it("is in the table and in the summary of the chart too", async () => {
  await load();
  const details = find("footer details") as HTMLDetailsElement;
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
  screen.paint();
  const heads = all("footer thead th").map((head) => head.textContent);
  const cells = all("footer tbody tr:nth-child(2) > *").map((cell) => cell.textContent);
  expect(cells[heads.indexOf("Patterns")]).toBe("bullish hammer");
  expect(cells[heads.indexOf("EMA 21")]).toBe("1,001.00");
  expect(cells[heads.indexOf("RSI 14")]).toContain("flat");
  screen.world.wall += 3_000;
  screen.page.tick();
  screen.paint();
  expect(find(id("chart")).getAttribute("aria-label")).toContain("the last closed candle is a bullish hammer");
});
