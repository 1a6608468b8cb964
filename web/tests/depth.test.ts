/** What the user reads of the book: the depth table on the mounted page. */

import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import App from "../src/App.svelte";
import type { Page } from "../src/lib/page";
import type { Depth, InstrumentRow } from "../src/messages.gen";
import { FRESHNESS, TEN, encodeBlock, envelopes, hello, instrument, rowValues, status } from "./makers";
import { World } from "./world";

let world: World;
let app: Record<string, unknown>;
let page: Page;
let from: ReturnType<typeof envelopes>;

const DEPTH = '[data-testid="depth"]';
const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];
const read = (element: Element | undefined | null): string =>
  (element?.textContent ?? "").replace(/\s+/g, " ").trim();
/** The texts of the rows a screen reader finds in a part of the table. */
const rows = (part: string): string[][] =>
  all(`${DEPTH} ${part} tr:not([aria-hidden])`).map((row) => [...row.children].map(read));

function paint(): void {
  world.frame();
  flushSync();
}

function say(message: unknown): void {
  world.socket.say(message);
  paint();
}

async function open(instruments: readonly InstrumentRow[], state = "fresh"): Promise<void> {
  world.socket.open();
  from = envelopes();
  say(from.make("hello", hello(instruments)));
  const values = rowValues({ freshness: FRESHNESS.findIndex((one) => one === state) });
  say(encodeBlock(instruments.map((one) => [one.row, values]), from.next()));
}

function book(over: Partial<Depth> = {}): void {
  const depth: Depth = {
    symbol: "SYM0",
    bids: [[123_450, 50], [123_445, 1_200], [123_440, 0], [123_435, 7], [123_430, 600]],
    asks: [[123_455, 300], [123_460, 40]],
    has_thirty: false,
    total_bid_quantity: 1_234_567,
    total_ask_quantity: null,
    imbalance_1: -0.714,
    imbalance: 0.69,
    imbalance_w: null,
    auction: null,
    ...over,
  };
  say(from.make("depth", depth));
}

beforeEach(async () => {
  world = new World();
  page = world.page();
  app = mount(App, { target: document.body, props: { page } });
  flushSync();
  await world.settle();
});

afterEach(() => unmount(app));

describe("the depth of the selected symbol", () => {
  it("is a ladder: sellers above, buyers below, the spread between, the whole book at the foot", async () => {
    await open([instrument(0)]);
    book();
    expect(read(document.querySelector(`${DEPTH} summary`))).toBe("Depth book snapshots, 5 levels · 0 s");
    expect(read(document.querySelector(`${DEPTH} caption`))).toBe("Depth of SYM0, the dearest price first");
    expect(rows("thead")).toEqual([["Bid qty", "Price", "Ask qty"]]);
    expect(rows("tbody")).toEqual([
      ["", "—", "—"],
      ["", "—", "—"],
      ["", "—", "—"],
      ["", "1,234.60", "40"],
      ["", "1,234.55", "300"],
      ["spread 0.05 · 1 t"],
      ["50", "1,234.50 LTP", ""],
      ["1,200", "1,234.45", ""],
      ["0", "1,234.40", ""],
      ["7", "1,234.35", ""],
      ["600", "1,234.30", ""],
    ]);
    expect(rows("tfoot")).toEqual([["12.35 L", "total buy · sell", "—"]]);
    expect(all(`${DEPTH} tfoot td`)[0]?.title).toBe("12,34,567");
  });
  it("tells the last price in the gap where no level has it", async () => {
    await open([instrument(0)]);
    book({ bids: [[123_440, 5]], asks: [[123_460, 5]] });
    expect(rows("tbody")[5]).toEqual(["spread 0.20 · 4 t · LTP 1,234.50"]);
  });
  it("has bars as long as what lies up to there, the larger side's last one full", async () => {
    await open([instrument(0)]);
    book();
    const shares = (side: string): number[] =>
      all(`${DEPTH} rect.${side}`).map((bar) => Number(bar.getAttribute("width")));
    const whole = 50 + 1_200 + 7 + 600;
    expect(shares("bid")).toEqual([50, 1_250, 1_250, 1_257, whole].map((quantity) => quantity / whole));
    expect(shares("ask")).toEqual([0, 0, 0, 340 / whole, 300 / whole]);
    expect(all(`${DEPTH} [title="1,250 up to here"]`)).toHaveLength(2);
  });
  it("weighs buyers against sellers three ways, a dash where it is not known", async () => {
    await open([instrument(0)]);
    book();
    const balances = all('[data-testid="balances"] > div').map((one) => [...one.children].map(read));
    expect(balances).toEqual([["best level", "−0.71"], ["5 levels", "+0.69"], ["weighted", "—"]]);
  });
  it("says so where thirty levels are told, and shows them", async () => {
    await open([instrument(0)]);
    const side = (by: number) => Array.from({ length: 30 }, (_, at) => [123_450 + by * (at + 1), 10] as const);
    book({ has_thirty: true, bids: side(-5), asks: side(5) });
    expect(read(document.querySelector(`${DEPTH} summary`))).toBe("Depth book snapshots, 30 levels · 0 s");
    expect(rows("tbody")).toHaveLength(61);
    expect(rows("tbody")[0]?.[1]).toBe("1,236.00");
    expect(rows("tbody").at(-1)?.[1]).toBe("1,233.00");
  });
  it("keeps its rungs when a side is empty, and says when the whole book is", async () => {
    await open([instrument(0)]);
    book({ bids: [] });
    expect(rows("tbody")).toHaveLength(11);
    expect(rows("tbody")[5]).toEqual(["no buyers · LTP 1,234.50"]);
    book({ asks: [] });
    expect(rows("tbody")[5]).toEqual(["no sellers"]);
    book({ bids: [], asks: [], total_bid_quantity: null });
    expect(rows("tbody")).toEqual([["no book"]]);
    expect(rows("tfoot")).toEqual([["—", "total buy · sell", "—"]]);
  });
  it("says that it waits rather than that there is no book", async () => {
    await open([instrument(0)], "unknown");
    expect(rows("tbody")).toEqual([["waiting for the book…"]]);
    book({ bids: [], asks: [] });
    expect(rows("tbody")).toEqual([["waiting for the book…"]]);
  });
  it("is hatched and has no colour of buyers and sellers when it is stale", async () => {
    await open([instrument(0)]);
    book();
    expect(all(`${DEPTH} table.trusted`)).toHaveLength(1);
    expect(all(`${DEPTH} .hatched`)).toHaveLength(0);
    world.wall = 70_000;
    say(from.make("status", status({ now_ms: TEN + 70_000 })));
    say(from.make("freshness", { symbol: "SYM0", freshness: "stale" }));
    expect(all(`${DEPTH} table.trusted`)).toHaveLength(0);
    expect(all(`${DEPTH} table.hatched, ${DEPTH} dl.hatched`)).toHaveLength(2);
    expect(read(document.querySelector(`${DEPTH} summary`))).toBe("Depth book snapshots, 5 levels · stale 1 min 10 s");
    expect(rows("tbody")[6]).toEqual(["50", "1,234.50 LTP", ""]);
  });
  it("is stale at once when the connection is lost, and waits for the next book when it is back", async () => {
    await open([instrument(0)]);
    book();
    world.socket.close();
    await world.settle();
    paint();
    expect(all(DEPTH)[0]?.dataset["state"]).toBe("stale");
    await world.wake();
    await open([instrument(0)]);
    expect(rows("tbody")).toEqual([["waiting for the book…"]]);
  });
  it("belongs to the selected symbol: a late one of another is dropped", async () => {
    await open([instrument(0), instrument(1)]);
    book();
    all('tr[data-symbol="SYM1"] td')[0]?.click();
    paint();
    expect(rows("tbody")).toEqual([["waiting for the book…"]]);
    book();
    expect(rows("tbody")).toEqual([["waiting for the book…"]]);
    book({ symbol: "SYM1", bids: [[99_900, 5]], asks: [] });
    expect(rows("tbody")[6]).toEqual(["5", "999.00", ""]);
  });
  it("stays when only the timeframe changes", async () => {
    await open([instrument(0)]);
    book();
    page.setMinutes(5);
    paint();
    expect(rows("tbody")[6]).toEqual(["50", "1,234.50 LTP", ""]);
  });
  it("is shown and hidden by its key", async () => {
    await open([instrument(0)]);
    const isOpen = (): boolean => all(DEPTH)[0]?.hasAttribute("open") ?? false;
    const before = isOpen();
    window.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true }));
    paint();
    expect(isOpen()).toBe(!before);
  });
  it("is not there for an index", async () => {
    await open([instrument(0, { kind: "index", has_volume: false })]);
    book({ bids: [], asks: [], total_bid_quantity: null });
    expect(all(DEPTH)).toHaveLength(0);
  });
});

describe("the auction of the selected symbol", () => {
  const told = { price: 141_250, quantity: 12_000, left_over: -3_400, left_over_at_market: -1_000, reference_price: 140_000 };
  const inPhase = (phase: "pre_open" | "auction" | "continuous"): void =>
    say(from.make("phase", { segment: "NSE_EQ", phase, source: "feed" }));
  const facts = (): string => read(document.querySelector('[data-testid="quote"] dl'));

  it("is told in the quote while it runs, and not a moment longer", async () => {
    await open([instrument(0)]);
    inPhase("auction");
    book({ auction: told });
    expect(facts()).toContain("Auction would be at1,412.50");
    expect(facts()).toContain("Auction quantity12,000");
    expect(facts()).toContain("Left over3,400 to sell, 1,000 at any price");
    expect(facts()).toContain("Reference price1,400.00");
    book({ auction: { ...told, left_over_at_market: 1_000 } });
    expect(facts()).toContain("Left over3,400 to sell, 1,000 to buy at any price");
    inPhase("continuous");
    page.tick();
    paint();
    expect(facts()).not.toContain("Auction");
  });

  it("has a dash where no orders meet yet", async () => {
    await open([instrument(0)]);
    inPhase("pre_open");
    book({ auction: { ...told, price: null, quantity: null, left_over: null, left_over_at_market: null } });
    expect(facts()).toContain("Auction would be at—");
    expect(facts()).toContain("Left over—");
  });
});
