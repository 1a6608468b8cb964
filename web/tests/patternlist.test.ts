/** What the user reads of the day's patterns: the list on the mounted page. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ListedPattern } from "../src/messages.gen";
import { TEN, instrument, patternRow, rowValues } from "./makers";
import { type Screen, all, find, id, openScreen, read } from "./screen";

const minute = 60_000;
let screen: Screen;

beforeEach(async () => {
  screen = await openScreen();
  screen.connect([instrument(0), instrument(1)]);
  screen.prices(rowValues(), rowValues());
});
afterEach(() => screen.close());

const tell = (...patterns: ListedPattern[]): void =>
  screen.say(screen.from.make("patterns", { is_all: true, patterns }));
const update = (pattern: ListedPattern): void => screen.say(screen.from.make("pattern", { pattern }));
const items = (): HTMLElement[] => all(id("pattern"));
const text = (element: Element | undefined): string =>
  [...(element?.childNodes ?? [])].map((one) => (one.textContent ?? "").trim()).filter(Boolean).join(" ").replace(/\s+/g, " ");
const cells = (at: number): string[] =>
  [...(items()[at]?.children ?? [])].map((cell) =>
    [...cell.children].filter((one) => one.classList.contains("narrow")).reduce(
      (whole, one) => whole.replace(text(one), "").trim(),
      text(cell),
    ),
  );

async function open(): Promise<void> {
  if (find(`${id("day-patterns")} h2 button`).getAttribute("aria-expanded") !== "true") screen.press("p", document.body);
  await screen.settle();
}

describe("the patterns of the day", () => {
  it("are told with their story, newest first", async () => {
    tell(
      patternRow(),
      patternRow({ start_ms: TEN + 5 * minute, pattern: "three_black_crows", direction: -1, strict: null, in_context: null, hit_rate: null, hit_rate_low: null, hit_rate_high: null, base_rate: null, cases: 12 }),
    );
    await open();
    expect(cells(0)).toEqual([
      "10:05 5m", "SYM0", "▼ Three black crows down", "waiting close below 1,236.00", "1,230.00 above it", "not enough history (12)",
    ]);
    expect(cells(1)).toEqual([
      "10:00 5m", "SYM0", "▲ Hammer up · in context · strict", "waiting close above 1,236.00", "1,230.00 below it", "right 55 % of 40 40 – 69 %, any candle 48 %",
    ]);
  });
  it.each([
    [{ confirmed: true }, "confirmed"],
    [{ confirmed: false }, "not confirmed"],
    [{ superseded: true, confirmed: true }, "superseded"],
    [{ direction: 0, confirmation: null, invalidation: null }, "no direction"],
  ] as const)("with %j are %s", async (over, state) => {
    tell(patternRow(over));
    await open();
    expect(cells(0)[3]).toBe(state);
    expect(items()[0]?.dataset["state"]).toBe(state);
  });
  it("claim nothing more than is known", async () => {
    tell(patternRow({ direction: 0, strict: false, in_context: false, confirmation: null, invalidation: null }));
    await open();
    expect(cells(0).slice(2)).toEqual([
      "◆ Hammer no direction · no trend to turn · not strict", "no direction", "—", "foretells nothing",
    ]);
  });
  it("can be narrowed by timeframe, direction and context", async () => {
    tell(
      patternRow(),
      patternRow({ minutes: 15, direction: -1 }),
      patternRow({ minutes: 15, pattern: "doji", direction: 0, in_context: null }),
    );
    await open();
    const choose = (label: string, value: string): void => {
      const select = find(`${id("day-patterns")} select[aria-label="${label}"]`) as HTMLSelectElement;
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      screen.paint();
    };
    choose("Timeframe", "15");
    expect(items().map((one) => one.dataset["minutes"])).toEqual(["15", "15"]);
    choose("Direction", "down");
    expect(items()).toHaveLength(1);
    choose("Timeframe", "");
    choose("Direction", "");
    find(`${id("day-patterns")} input`).click();
    screen.paint();
    expect(items().map((one) => one.dataset["minutes"])).toEqual(["15", "5"]);
    choose("Timeframe", "60");
    expect(read(id("no-patterns"))).toBe("No pattern of today fits this choice.");
  });
  it("say in words that there is none yet, and leave out what nobody watches or another day told", async () => {
    tell(patternRow({ symbol: "GONE" }), patternRow({ start_ms: TEN - 86_400_000 }));
    await open();
    expect(read(id("no-patterns"))).toContain("No pattern yet today.");
    expect(read(id("pattern-count"))).toBe("0 listed");
  });
  it("open their symbol and timeframe in the chart, by click and by key", async () => {
    tell(patternRow({ symbol: "SYM1", minutes: 15 }), patternRow());
    await open();
    items()[0]?.querySelector("td")?.click();
    screen.paint();
    expect([find(id("chart")).dataset["symbol"], find(id("chart")).dataset["minutes"]]).toEqual(["SYM1", "15"]);
    items()[1]?.querySelector("button")?.focus();
    (document.activeElement as HTMLElement).click();
    screen.paint();
    expect([find(id("chart")).dataset["symbol"], find(id("chart")).dataset["minutes"]]).toEqual(["SYM0", "5"]);
  });
  it("are walked by the arrow keys without moving in the watchlist", async () => {
    tell(patternRow(), patternRow({ symbol: "SYM1" }));
    await open();
    items()[0]?.querySelector("button")?.focus();
    screen.press("ArrowDown");
    expect(document.activeElement?.closest("tr")?.dataset["testid"]).toBe("pattern");
    expect(document.activeElement?.closest("tr")).toBe(items()[1]);
    screen.press("k");
    expect(document.activeElement?.closest("tr")).toBe(items()[0]);
  });
  it("stand still under the pointer, say how many are newer, and still change their state", async () => {
    tell(patternRow());
    await open();
    (document.activeElement as HTMLElement).blur();
    await screen.settle();
    find(`${id("day-patterns")} tbody`).dispatchEvent(new Event("pointerenter"));
    update(patternRow({ start_ms: TEN + 5 * minute }));
    update(patternRow({ confirmed: true }));
    expect(items().map((one) => one.dataset["state"])).toEqual(["confirmed"]);
    expect(read(id("patterns-still"))).toBe("list stands still, 1 newer");
    find(`${id("day-patterns")} tbody`).dispatchEvent(new Event("pointerleave"));
    screen.paint();
    expect(items().map((one) => one.dataset["state"])).toEqual(["waiting", "confirmed"]);
    expect(read(id("patterns-still"))).toBe("");
  });
  it("carry no colour, and do not seem to wait, while nobody can vouch for the price", async () => {
    tell(patternRow(), patternRow({ minutes: 15, confirmed: true }));
    await open();
    screen.page.tick();
    screen.paint();
    expect(items().map((one) => one.querySelectorAll(".up").length)).toEqual([1, 1]);
    screen.say(screen.from.make("freshness", { symbol: "SYM0", freshness: "stale" }));
    expect(items().map((one) => one.querySelectorAll(".up").length)).toEqual([0, 0]);
    const hatched = Object.fromEntries(items().map((one) => [one.dataset["state"], one.querySelectorAll(".hatched").length]));
    expect(hatched).toEqual({ waiting: 1, confirmed: 0 });
  });
  it("are gone when another day begins, without a word of any pattern", async () => {
    tell(patternRow());
    await open();
    expect(items()).toHaveLength(1);
    screen.world.wall += 86_400_000;
    screen.page.tick();
    await screen.settle();
    expect(items()).toHaveLength(0);
  });
  it("draw only a window of a long list", async () => {
    tell(...Array.from({ length: 300 }, (_, at) => patternRow({ minutes: 1 + (at % 6), start_ms: TEN + at * minute })));
    await open();
    expect(read(id("pattern-count"))).toBe("300 listed");
    expect(items().length).toBeLessThan(60);
  });
});
