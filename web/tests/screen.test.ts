/** What the user reads: the whole page, mounted, with a server played by the test. */

import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import App from "../src/App.svelte";
import type { CandleRow, InstrumentRow } from "../src/messages.gen";
import { FRESHNESS, TEN, type RowValues, encodeBlock, envelopes, hello, instrument, rowValues, status } from "./makers";
import type { Page } from "../src/lib/page";
import { World } from "./world";

let world: World;
let app: Record<string, unknown>;
let page: Page;
let from: ReturnType<typeof envelopes>;

function paint(): void {
  world.frame();
  flushSync();
}

const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];

function find(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`nothing on the page matches ${selector}`);
  return found;
}

const read = (selector: string): string => (find(selector).textContent ?? "").replace(/\s+/g, " ").trim();
const id = (name: string): string => `[data-testid="${name}"]`;
const row = (symbol: string): string => `tr[data-symbol="${symbol}"]`;

function press(key: string): void {
  window.dispatchEvent(new KeyboardEvent("keydown", { key }));
  paint();
}

function say(message: unknown): void {
  world.socket.say(message);
  paint();
}

const prices = (...rows: RowValues[]): void => say(encodeBlock(rows.map((values, at) => [at, values]), from.next()));

async function open(instruments: readonly InstrumentRow[], over: Parameters<typeof hello>[1] = {}): Promise<void> {
  world.socket.open();
  from = envelopes(over.mode);
  say(from.make("hello", hello(instruments, over)));
}

const candle = (minute: number, close: number, state: CandleRow[6]): CandleRow =>
  [TEN + minute * 60_000, 120_000, 124_000, 119_000, close, 1_500, state, state === "final", 0] as const;

beforeEach(async () => {
  world = new World();
  page = world.page();
  app = mount(App, { target: document.body, props: { page } });
  flushSync();
  await world.settle();
});

afterEach(() => unmount(app));

describe("the status strip", () => {
  it("says mode, market time, phase, feed, token, store and recording", async () => {
    await open([instrument(0), instrument(1)]);
    prices(rowValues(), rowValues());
    page.tick();
    paint();
    expect(read(id("mode"))).toBe("DEMO");
    expect(read(id("clock"))).toContain("10:00:00 IST market open");
    expect(read(id("feed"))).toBe("fresh 2/2 Feed · canary 0 s");
    expect(read(id("announcer"))).toBe("Mode DEMO. Feed fresh.");
    expect(read(id("token"))).toContain("until 03:30");
    expect(read(id("store"))).toContain("on Store");
    expect(read(id("recording"))).toContain("on Recording");
  });
  it("marks a phase that only the calendar knows, and history that is off", async () => {
    const phases = { NSE_EQ: { phase: "closed", source: "calendar" } } as const;
    const store = { state: "off", text: "No Redis server." } as const;
    await open([instrument(0)], { status: status({ phases, store }) });
    paint();
    expect(read(id("clock"))).toContain("market closed (calendar)");
    expect(read(id("store"))).toContain("history off");
  });
  it("names the reason when the broker's link is down", async () => {
    await open([instrument(0)]);
    prices(rowValues());
    say(from.make("feed", { up: false, reason: "silent for 5 s", cause: "silent" }));
    expect(read(id("feed"))).toContain("stale 0/1 Feed · silent for 5 s");
    expect(read(id("banner"))).toContain("No market data for 0 s. Last good price 10:00:00.");
  });
  it("says the mode of the newest message and warns when it changed", async () => {
    await open([instrument(0)]);
    say({ ...from.make("status", status()), mode: "REPLAY" });
    expect(read(id("mode"))).toBe("REPLAY");
    expect(read('[data-id="mode"]')).toContain("changed from DEMO to REPLAY");
  });
});

describe("an index that is followed but not watched", () => {
  it("stands in the strip, not in the list, and can be charted", async () => {
    const nifty = instrument(1, { symbol: "NIFTY", kind: "index", has_volume: false, is_watched: false });
    await open([instrument(0), nifty]);
    prices(rowValues(), rowValues({ last_price: 2_576_620, previous_close: 2_590_000 }));
    page.tick();
    paint();
    expect(all(id("row")).map((one) => one.dataset["symbol"])).toEqual(["SYM0"]);
    expect(read(id("index"))).toBe("NIFTY 25,766.20 −0.52%");
    expect(read(id("feed"))).toContain("fresh 1/1");
    find(id("index")).click();
    paint();
    expect(find(id("chart")).dataset["symbol"]).toBe("NIFTY");
  });
});

describe("a row of the watchlist", () => {
  it("reads like a quote", async () => {
    await open([instrument(0, { symbol: "RELIANCE", name: "Reliance Industries" })]);
    prices(rowValues());
    const cells = all(`${row("RELIANCE")} > *`).map((cell) => cell.innerText.replace(/\s+/g, " ").trim());
    expect(cells).toEqual([
      "RELIANCE Reliance Industries ×",
      "▲1,234.50",
      "+2.88%",
      "—",
      "1 t",
      "+0.25",
      "+0.45%",
      "Liquid Normal vol",
      "—",
      "—",
      "—",
      "—",
      "12.35 L",
      "0 s",
    ]);
  });
  it("shows a dash, never zero, for what never came", async () => {
    await open([instrument(0)]);
    const nothing = Object.fromEntries(Object.keys(rowValues()).map((name) => [name, NaN]));
    prices({ ...nothing, freshness: 0 });
    expect(read(`${row("SYM0")} ${id("last-price")}`)).toBe("—");
    expect(find(row("SYM0")).dataset["state"]).toBe("unknown");
    expect(read(row("SYM0"))).not.toContain("0.0");
  });
  it.each([
    ["quiet", "◷quiet 20 s"],
    ["gap", "filling gap"],
    ["closed", "closed 09:58"],
    ["stale", "stale 20 s"],
    ["unknown", "—"],
  ] as const)("in the state %s says %s", async (state, words) => {
    await open([instrument(0)]);
    const at = { exchange_ms: TEN - 20_000, last_trade_ms: TEN - 100_000 };
    prices(rowValues({ ...at, freshness: FRESHNESS.indexOf(state) }));
    const cell = `${row("SYM0")} ${id("freshness")}`;
    expect(read(cell)).toBe(words);
    expect(find(cell).dataset["state"]).toBe(state);
  });
  it("says of a market that the exchange halted that it is halted, not closed", async () => {
    const halted = { NSE_EQ: { phase: "halted_by_exchange", source: "feed" } } as const;
    await open([instrument(0)], { status: status({ phases: halted }) });
    prices(rowValues({ exchange_ms: TEN - 20_000, last_trade_ms: TEN - 100_000, freshness: FRESHNESS.indexOf("closed") }));
    page.tick();
    paint();
    const cell = `${row("SYM0")} ${id("freshness")}`;
    expect(read(cell)).toBe("halted 09:58");
    expect(read(id("feed"))).toContain("halted");
    expect(read(id("clock"))).toContain("halted by the exchange");
    say(from.make("phase", { segment: "NSE_EQ", phase: "closed", source: "feed" }));
    page.tick();
    paint();
    expect(read(cell)).toBe("closed 09:58");
    expect(read(id("feed"))).not.toContain("halted");
  });
  it("says in the quote that nothing traded today", async () => {
    await open([instrument(0)]);
    prices(rowValues({ last_trade_ms: TEN - 3 * 86_400_000 }));
    expect(read(id("untraded"))).toBe("no trade today, last 20 Nov");
    prices(rowValues());
    expect(all(id("untraded"))).toHaveLength(0);
  });
  it("loses colour and arrow when its price is stale", async () => {
    await open([instrument(0)]);
    prices(rowValues());
    const cell = `${row("SYM0")} ${id("last-price")}`;
    expect(find(cell).classList.contains("up")).toBe(true);
    const facts = () => all(`${id("quote")} dd`);
    expect(facts().some((one) => one.classList.contains("hatched"))).toBe(false);
    world.socket.close();
    await world.settle();
    paint();
    expect(facts().length).toBeGreaterThan(3);
    expect(facts().every((one) => one.classList.contains("hatched"))).toBe(true);
    expect(read(cell)).toBe("1,234.50");
    expect(find(cell).className).not.toMatch(/\b(up|down)\b/);
    expect(find(cell).classList.contains("hatched")).toBe(true);
  });
  it("ages by itself while the server says nothing", async () => {
    await open([instrument(0)]);
    prices(rowValues());
    world.wall = 7_000;
    say(from.make("status", status({ now_ms: TEN + 7_000 })));
    page.tick();
    paint();
    expect(find(row("SYM0")).dataset["state"]).toBe("quiet");
    expect(read(`${row("SYM0")} ${id("age")}`)).toBe("7 s");
  });
  it("shows a hostile name as text", async () => {
    await open([instrument(0, { name: "<img src=x onerror=alert(1)>" })]);
    prices(rowValues());
    expect(read(row("SYM0"))).toContain("<img src=x onerror=alert(1)>");
    expect(all("img")).toHaveLength(0);
  });
});

describe("the watchlist", () => {
  it("sorts by a header, says so, and pauses under the pointer", async () => {
    await open([instrument(0), instrument(1)]);
    prices(rowValues({ volume: 5 }), rowValues({ volume: 9 }));
    const order = () => all(id("row")).map((one) => one.dataset["symbol"]);
    find("th.volume button").click();
    paint();
    expect(order()).toEqual(["SYM1", "SYM0"]);
    expect(find("th.volume").getAttribute("aria-sort")).toBe("descending");
    find("tbody").dispatchEvent(new Event("pointerenter"));
    world.wall = 1_500;
    prices(rowValues({ volume: 50 }), rowValues({ volume: 9 }));
    expect(order()).toEqual(["SYM1", "SYM0"]);
    expect(read(id("sort-paused"))).toBe("sort paused");
    find("tbody").dispatchEvent(new Event("pointerleave"));
    expect((flushSync(), order())).toEqual(["SYM0", "SYM1"]);
  });
  it("selects by click and by [ and ], moves the focus by j and k", async () => {
    await open([instrument(0), instrument(1)]);
    prices(rowValues(), rowValues());
    find(`${row("SYM1")} td`).click();
    paint();
    expect(find(`${id("quote")} h2`).textContent).toBe("SYM1");
    press("[");
    expect(find(id("chart")).dataset["symbol"]).toBe("SYM0");
    press("j");
    expect(document.activeElement?.closest("tr")?.dataset["symbol"]).toBe("SYM1");
    press("k");
    expect(document.activeElement?.closest("tr")?.dataset["symbol"]).toBe("SYM0");
  });
  it("says when there is nothing in it", async () => {
    expect(read("#watchlist tbody")).toBe("Loading…");
    await open([]);
    expect(read("#watchlist tbody")).toBe("No instruments yet. Add an instrument");
  });
});

describe("the chart", () => {
  const load = async () => {
    await open([instrument(0)]);
    await world.settle();
    prices(rowValues());
    expect(read(id("chart-empty"))).toBe("Waiting for the 1 minute candles of SYM0…");
    const candles = [candle(0, 123_000, "final"), candle(1, 123_400, "provisional"), candle(2, 123_450, "forming")];
    say(from.make("candles", { symbol: "SYM0", minutes: 1, candles }));
  };
  it("tells its bars, its last close and, in the readout, how far the last candle is", async () => {
    await load();
    expect(find(id("chart")).dataset).toMatchObject({ bars: "3", symbol: "SYM0", minutes: "1", lastClose: "1234.50" });
    expect(read(id("readout"))).toBe("23 Nov 10:02 O 1,200.00 H 1,240.00 L 1,190.00 C 1,234.50 V 1,500 forming");
  });
  it("follows the running candle", async () => {
    await load();
    say(from.make("forming", { symbol: "SYM0", minutes: 1, candle: candle(2, 123_500, "forming") }));
    expect(find(id("chart")).dataset["lastClose"]).toBe("1235.00");
    say(from.make("candle", { symbol: "SYM0", minutes: 1, candle: candle(2, 123_500, "final") }));
    say(from.make("forming", { symbol: "SYM0", minutes: 1, candle: candle(3, 123_500, "forming") }));
    expect(world.drawn.slice(-3)).toEqual(["update 1", "update 1", "update 1"]);
  });
  it("marks the last price when it turns stale", async () => {
    await load();
    world.socket.close();
    await world.settle();
    paint();
    expect(world.drawn.at(-1)).toBe("stale");
  });
  it("changes timeframe by key and by button, and is empty until the new candles come", async () => {
    await load();
    press("3");
    expect(find(id("chart")).dataset).toMatchObject({ bars: "0", minutes: "5" });
    find('[data-minutes="60"][data-testid="timeframe"]').click();
    paint();
    expect(world.socket.sent.at(-1)).toBe('{"type":"view","symbol":"SYM0","minutes":60}');
    expect(find('[data-minutes="60"][data-testid="timeframe"]').getAttribute("aria-pressed")).toBe("true");
  });
  it("has a name that says in words what it shows", async () => {
    await load();
    expect(find(id("chart")).getAttribute("aria-label")).toBe(
      "SYM0, 1 minute candles: last 1,234.50 (fresh), +2.88% since the previous close, " +
        "day range 1,195.00 – 1,240.00, 0.45% above the day's VWAP, 3 candles",
    );
    press("3");
    expect(find(id("chart")).getAttribute("aria-label")).toContain("SYM0, 5 minute candles");
  });
  it("is walked by the arrow keys, and closed candles are read out", async () => {
    await load();
    const walk = (key: string) => {
      find(id("chart")).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      flushSync();
    };
    walk("ArrowLeft");
    walk("ArrowLeft");
    expect(read(id("readout"))).toContain("10:01");
    expect(find(id("readout")).getAttribute("aria-live")).toBe("polite");
    walk("Escape");
    expect(read(id("readout"))).toContain("10:02");
  });
  it("is a table too", async () => {
    await load();
    const details = find("footer details") as HTMLDetailsElement;
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    paint();
    expect(all("footer details tbody tr")).toHaveLength(3);
    const newest = all("footer details tbody tr:first-child > *").map((cell) => cell.textContent);
    expect(newest.slice(0, 7)).toEqual(["23 Nov 10:02", "1,200.00", "1,240.00", "1,190.00", "1,234.50", "1,500", "forming"]);
  });
});

describe("the log and the rest", () => {
  it("shows the last three lines, newest first, and all on request", async () => {
    const notices = [1, 2, 3, 4].map((n) => ({ at_ms: TEN + n * 1_000, level: "info", text: `line ${n}` }));
    await open([instrument(0)], { notices });
    say(from.make("notice", { at_ms: TEN + 9_000, level: "warning", text: "something odd" }));
    expect(all(id("log-line"))).toHaveLength(3);
    expect(read(id("log-line"))).toBe("10:00:09 ! warning something odd");
    find("#log button").click();
    flushSync();
    expect(all(id("log-line"))).toHaveLength(5);
  });
  it("says how many messages of an unknown kind came", async () => {
    await open([instrument(0)]);
    say({ v: 1, seq: from.next(), ts: 0, mode: "DEMO", type: "surprise", data: {} });
    expect(read(id("unknown-messages"))).toContain("1 message of a kind this page does not know");
  });
  it("says once that the market is built in, and in no other mode", async () => {
    await open([instrument(0)]);
    expect(read('[data-id="demo"]')).toContain("Nothing here is real.");
    find('[data-id="demo"] button').click();
    flushSync();
    expect(all('[data-id="demo"]')).toHaveLength(0);
  });
  it("shows a lost connection until it is back", async () => {
    await open([instrument(0)]);
    world.socket.close();
    await world.settle();
    paint();
    expect(read('[data-id="lost"]')).toContain("Every price is stale. Trying again…");
    await world.wake();
    await open([instrument(0)]);
    expect(all('[data-id="lost"]')).toHaveLength(0);
  });
  it("without a session names the way in", async () => {
    await unmount(app);
    world.answers.set("GET api/v1/session", { status: 401, body: {} });
    app = mount(App, { target: document.body, props: { page: world.page() } });
    await world.settle();
    paint();
    expect(read(id("gate"))).toContain("Open the start link printed in the terminal.");
  });
  it("opens the help again although the focus is still in the closed one", async () => {
    await open([instrument(0)]);
    press("?");
    const dialog = find(id("help")) as HTMLDialogElement;
    dialog.close();
    const inside = dialog.querySelector("button");
    inside?.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true, cancelable: true }));
    flushSync();
    expect(dialog.open).toBe(true);
    dialog.close();
  });
  it("lists its keys and changes theme and palette", async () => {
    await open([instrument(0)]);
    press("?");
    expect((find(id("help")) as HTMLDialogElement).open).toBe(true);
    const button = (text: string) => all(`${id("help")} button`).find((one) => one.textContent?.trim() === text);
    button("light")?.click();
    button("blue / orange")?.click();
    flushSync();
    expect(document.documentElement.dataset).toMatchObject({ theme: "light", palette: "colour-blind" });
    button("dark")?.click();
  });
});
