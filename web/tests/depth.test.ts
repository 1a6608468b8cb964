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
    total_bid_quantity: 1_234_567,
    total_ask_quantity: null,
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
  it("is a table of levels, best first, with the whole book below", async () => {
    await open([instrument(0)]);
    book();
    expect(read(document.querySelector(`${DEPTH} summary`))).toBe("Depth 5 levels, snapshots · 0 s");
    expect(read(document.querySelector(`${DEPTH} caption`))).toBe("Depth of SYM0, best level first");
    expect(rows("thead")).toEqual([["Bid qty", "Bid", "Ask", "Ask qty"]]);
    expect(rows("tbody")).toEqual([
      ["50", "1,234.50", "1,234.55", "300"],
      ["1,200", "1,234.45", "1,234.60", "40"],
      ["0", "1,234.40", "—", "—"],
      ["7", "1,234.35", "—", "—"],
      ["600", "1,234.30", "—", "—"],
    ]);
    expect(rows("tfoot")).toEqual([["12.35 L", "total buy · sell", "—"]]);
    expect(all(`${DEPTH} tfoot td`)[0]?.title).toBe("12,34,567");
  });
  it("has bars as long as the quantities, the largest one full", async () => {
    await open([instrument(0)]);
    book();
    const shares = (side: string): number[] =>
      all(`${DEPTH} rect.${side}`).map((bar) => Number(bar.getAttribute("width")));
    expect(shares("bid")).toEqual([50 / 1_200, 1, 0, 7 / 1_200, 0.5]);
    expect(shares("ask")).toEqual([0.25, 40 / 1_200, 0, 0, 0]);
  });
  it("keeps its five rows when a side, or the whole book, is empty", async () => {
    await open([instrument(0)]);
    book({ bids: [] });
    expect(rows("tbody").map((row) => row.slice(0, 2))).toEqual(Array(5).fill(["—", "—"]));
    book({ bids: [], asks: [], total_bid_quantity: null });
    expect(rows("tbody")).toEqual([["no book"]]);
    expect(all(`${DEPTH} tbody tr`)).toHaveLength(5);
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
    expect(all(`${DEPTH} tbody.hatched, ${DEPTH} tfoot.hatched`)).toHaveLength(2);
    expect(read(document.querySelector(`${DEPTH} summary`))).toBe("Depth 5 levels, snapshots · stale 1 min 10 s");
    expect(rows("tbody")[0]).toEqual(["50", "1,234.50", "1,234.55", "300"]);
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
    expect(rows("tbody")[0]).toEqual(["5", "999.00", "—", "—"]);
  });
  it("stays when only the timeframe changes", async () => {
    await open([instrument(0)]);
    book();
    page.setMinutes(5);
    paint();
    expect(rows("tbody")[0]).toEqual(["50", "1,234.50", "1,234.55", "300"]);
  });
  it("is not there for an index", async () => {
    await open([instrument(0, { kind: "index", has_volume: false })]);
    book({ bids: [], asks: [], total_bid_quantity: null });
    expect(all(DEPTH)).toHaveLength(0);
  });
});
