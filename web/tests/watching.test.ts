/** The list is changed: by search, by a row's button, by keys, and back. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FoundSymbol } from "../src/messages.gen";
import { createSearch } from "../src/lib/watching";
import { instrument, rowValues } from "./makers";
import { type Screen, all, find, id, openScreen, read, row } from "./screen";
import { World } from "./world";

const found = (symbol: string, over: Partial<FoundSymbol> = {}): FoundSymbol => ({
  symbol,
  name: `${symbol} Limited`,
  instrument_key: `NSE_EQ|${symbol}`,
  exchange: "NSE",
  kind: "equity",
  lot_size: 1,
  is_watched: false,
  expiry: null,
  strike: null,
  ...over,
});

let screen: Screen;

beforeEach(async () => {
  screen = await openScreen();
});
afterEach(() => screen.close());

const SEARCH = id("add-symbol");
const answers = (words: string, ...symbols: FoundSymbol[]): void =>
  void screen.world.answers.set(`GET api/v1/symbols/search?q=${words}`, {
    status: 200,
    body: { found: symbols, total: symbols.length },
  });
const answer = (what: string, status: number, body: object): void =>
  void screen.world.answers.set(what, { status, body });

async function searched(words: string): Promise<void> {
  screen.type(SEARCH, words);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await screen.settle();
}

describe("adding an instrument", () => {
  it("goes by keys alone: /, letters, arrow, Enter", async () => {
    screen.connect([instrument(0)]);
    answers("inf", found("INFIBEAM"), found("INFY"));
    answer("POST api/v1/symbols", 200, { text: "INFY is watched now." });
    screen.press("/");
    await screen.settle();
    expect(document.activeElement).toBe(find(SEARCH));
    await searched("inf");
    expect(all(id("found")).map((one) => one.dataset["symbol"])).toEqual(["INFIBEAM", "INFY"]);
    screen.press("ArrowDown");
    expect(find(SEARCH).getAttribute("aria-activedescendant")).toBe("found-1");
    expect(find("#found-1").getAttribute("aria-selected")).toBe("true");
    screen.press("Enter");
    await screen.settle();
    expect(screen.world.bodies.at(-1)).toEqual({ what: "NSE_EQ|INFY" });
    expect(read(id("watch-note"))).toBe("INFY is watched now.");
    expect([(find(SEARCH) as HTMLInputElement).value, document.activeElement]).toEqual(["", find(SEARCH)]);
  });
  it("that is refused says why and keeps what was typed", async () => {
    screen.connect([instrument(0)]);
    answers("xyz", found("XYZ"));
    answer("POST api/v1/symbols", 409, { error: "XYZ is not listed today", error_id: "ab12" });
    await searched("xyz");
    screen.press("Enter");
    await screen.settle();
    expect(read(id("watch-note"))).toBe("XYZ is not listed today (ab12)");
    expect((find(SEARCH) as HTMLInputElement).value).toBe("xyz");
  });
  it("that is watched already shows it instead", async () => {
    screen.connect([instrument(0), instrument(1)]);
    answers("sym", found("SYM1", { is_watched: true }));
    await searched("sym");
    expect(read(id("found"))).toContain("in the list");
    screen.press("Enter");
    await screen.settle();
    expect(screen.page.store.selected).toBe("SYM1");
    expect(screen.world.asked.filter((what) => what.startsWith("POST api/v1/symbols"))).toEqual([]);
  });
  it("says when nothing is found, and when the program does not answer", async () => {
    screen.connect([instrument(0)]);
    answers("zzz");
    await searched("zzz");
    expect(read(id("found-text"))).toBe("Nothing found for “zzz”.");
    answer("GET api/v1/symbols/search?q=down", 0, {});
    await searched("down");
    expect(read(id("found-text"))).toBe("The program does not answer.");
  });
  it("is offered by an empty list", async () => {
    screen.connect([]);
    find("#watchlist tbody button").click();
    expect(document.activeElement).toBe(find(SEARCH));
  });
});

describe("removing an instrument", () => {
  it("goes by Delete and back by u, and the keyboard stays in the list", async () => {
    screen.connect([instrument(0), instrument(1, { name: "My Company" }), instrument(2)]);
    screen.prices(rowValues(), rowValues(), rowValues());
    answer("DELETE api/v1/symbols/SYM1", 200, { text: "SYM1 is no longer watched." });
    answer("POST api/v1/symbols", 200, { text: "My Company is watched now." });
    screen.press("j");
    expect(document.activeElement?.closest("tr")?.dataset["symbol"]).toBe("SYM1");
    screen.press("Delete");
    await screen.settle();
    expect(read(id("watch-note"))).toBe("SYM1 is no longer watched.");
    expect(document.activeElement?.closest("tr")?.dataset["symbol"]).toBe("SYM2");
    screen.say(screen.from.make("instruments", { instruments: [instrument(0), instrument(2)] }));
    expect(all(id("row")).map((one) => one.dataset["symbol"])).toEqual(["SYM0", "SYM2"]);
    screen.press("u");
    await screen.settle();
    expect(screen.world.bodies.at(-1)).toEqual({ what: "SYM1", name: "My Company", before: "SYM2" });
    expect(all(id("undo"))).toHaveLength(0);
  });
  it("goes by the row's own button, which does not open the chart", async () => {
    screen.connect([instrument(0), instrument(1)]);
    answer("DELETE api/v1/symbols/SYM1", 200, { text: "SYM1 is no longer watched." });
    find(`${row("SYM1")} [data-remove]`).click();
    await screen.settle();
    expect(screen.page.store.selected).toBe("SYM0");
    find(id("undo")).click();
    await screen.settle();
    expect(screen.world.asked.at(-1)).toBe("POST api/v1/symbols");
  });
  it("that is refused offers nothing to undo", async () => {
    screen.connect([instrument(0)]);
    answer("DELETE api/v1/symbols/SYM0", 409, { error: "the last symbol stays", error_id: "c3" });
    find(`${row("SYM0")} [data-remove]`).click();
    await screen.settle();
    expect(read(id("watch-note"))).toBe("The last symbol stays (c3)");
    expect(all(id("undo"))).toHaveLength(0);
  });
});

describe("the search", () => {
  it("never lets an older answer overtake a newer question", async () => {
    const world = new World();
    for (const words of ["a", "ab"]) {
      world.answers.set(`GET api/v1/symbols/search?q=${words}`, { status: 200, body: { found: [], total: 0 } });
    }
    const waiting: (() => void)[] = [];
    const find = createSearch(world.page(), () => new Promise((resolve) => waiting.push(() => resolve())));
    const older = find("a");
    const newer = find("ab");
    waiting.toReversed().forEach((go) => go());
    expect(await older).toBeNull();
    expect((await newer)?.text).toBe("Nothing found for “ab”.");
    expect(world.asked).toEqual(["GET api/v1/symbols/search?q=ab"]);
  });
  it("asks nothing when there is nothing to ask", async () => {
    const world = new World();
    const find = createSearch(world.page(), () => Promise.resolve());
    expect(await find("  ")).toEqual({ found: [], text: "" });
    expect(world.asked).toEqual([]);
  });
});
