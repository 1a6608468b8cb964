import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ColumnKey, COLUMNS, DEFAULT, fitting, loadChoice, moved, saveChoice, toggled } from "../src/lib/columns";
import { TEN, instrument, patternRow, rowValues } from "./makers";
import { type Screen, all, find, id, openScreen, read, row } from "./screen";

const shown = (width: number, choice = DEFAULT): ColumnKey[] => fitting(choice, width).map((one) => one.key);

function storage(text: string | null = null) {
  const kept = { text };
  return {
    kept,
    getItem: () => kept.text,
    setItem: (_: string, value: string) => void (kept.text = value),
  };
}

describe("the columns that fit", () => {
  it("are all while the width is not known, and in a wide panel", () => {
    expect(shown(0)).toEqual(COLUMNS.map((one) => one.key));
    expect(shown(5_000)).toEqual(shown(0));
  });
  it("are what says what moves and whether it is true on a phone", () => {
    expect(shown(349)).toEqual(["symbol", "last", "change", "age"]); // 360 pixels without the edges
  });
  it.each([300, 358, 420, 614, 736, 880, 1_100])("never need more than the %i pixels there are", (width) => {
    const columns = fitting(DEFAULT, width);
    const needed = columns.reduce((sum, one) => sum + one.width, 0);
    expect(needed).toBeLessThanOrEqual(width);
    expect(columns.map((one) => one.key)).toEqual(expect.arrayContaining(["symbol", "last", "age"]));
  });
  it("leave out what was taken off, and give its room to another", () => {
    const choice = ["spread", "imbalance", "vwap"].reduce((one, key) => toggled(one, key as ColumnKey), DEFAULT);
    expect(shown(736)).not.toContain("pattern");
    expect(shown(736, choice)).toContain("pattern");
    expect(shown(0, choice)).not.toContain("spread");
  });
});

describe("the choice of columns", () => {
  it("moves a column and keeps the symbol first", () => {
    const order = (key: ColumnKey, by: number) => moved(DEFAULT, key, by).order;
    expect(order("rsi", -100).slice(0, 3)).toEqual(["symbol", "rsi", "last"]);
    expect(order("last", 100).at(-1)).toBe("last");
    expect(order("symbol", 3)).toEqual(DEFAULT.order);
    expect(order("last", -1)).toEqual(DEFAULT.order);
  });
  it("cannot take off what makes a row", () => {
    expect(toggled(DEFAULT, "age")).toBe(DEFAULT);
    expect(toggled(toggled(DEFAULT, "rsi"), "rsi")).toEqual(DEFAULT);
  });
  it("is kept and read again", () => {
    const box = storage();
    const chosen = { ...toggled(moved(DEFAULT, "rsi", -5), "vwap"), minutes: 15 };
    saveChoice(box, chosen);
    expect(loadChoice(box)).toEqual(chosen);
  });
  it.each([null, "", "nonsense", "rsi rsi bogus;age symbol bogus;-5"])("of %j is whole and sane", (text) => {
    const choice = loadChoice(storage(text));
    expect(choice.order[0]).toBe("symbol");
    expect(new Set(choice.order)).toEqual(new Set(DEFAULT.order));
    expect(choice.order.length).toBe(DEFAULT.order.length);
    expect([...choice.hidden]).toEqual([]);
    expect(choice.minutes).toBe(5);
  });
});

describe("the watchlist on the page", () => {
  let screen: Screen;
  beforeEach(async () => {
    localStorage.clear();
    screen = await openScreen();
    screen.connect([instrument(0), instrument(1)]);
    screen.prices(rowValues(), rowValues());
  });
  afterEach(() => screen.close());

  const reading = (symbol: string, minutes: number, rsi: number | null, is_flat = false, withheld = "") =>
    [symbol, minutes, TEN, rsi, is_flat, rsi === null ? null : 0.456, rsi === null ? null : 1.234, withheld] as const;
  const tell = (...readings: ReturnType<typeof reading>[]): void =>
    screen.say(screen.from.make("readings", { is_all: false, readings }));
  const symbols = (): (string | undefined)[] => all(id("row")).map((one) => one.dataset["symbol"]);

  it("shows the indicators of the chosen timeframe, a dash while they warm up", () => {
    tell(reading("SYM0", 5, null));
    expect(read(`${row("SYM0")} ${id("rsi")}`)).toBe("—");
    tell(reading("SYM0", 5, 61.27), reading("SYM0", 1, 12));
    expect([read(`${row("SYM0")} ${id("rsi")}`), read(`${row("SYM0")} ${id("atr")}`)]).toEqual(["61.3", "0.46"]);
    expect(read(`${row("SYM0")} td.rvol`)).toBe("1.23×");
    expect(find(`${row("SYM0")} ${id("rsi")}`).title).toBe("5m candle of 10:00");
    expect(read("th.rsi")).toBe("RSI 5m");
  });
  it("says of a flat window that it says nothing, and sorts it with the unknown", () => {
    tell(reading("SYM0", 5, 50, true), reading("SYM1", 5, 40));
    expect(read(`${row("SYM0")} ${id("rsi")}`)).toBe("50.0 flat");
    find("th.rsi button").click();
    screen.paint();
    expect(symbols()).toEqual(["SYM1", "SYM0"]);
  });
  it("says that values are withheld, and why", () => {
    tell(reading("SYM0", 5, null, false, "the open of 09:15 is -50.0% from the close before it"));
    const [rsi, atr] = [`${row("SYM0")} ${id("rsi")}`, `${row("SYM0")} ${id("atr")}`];
    expect([read(rsi), read(atr)]).toEqual(["withheld", "withheld"]);
    expect(find(rsi).title).toBe("5m candle of 10:00: the open of 09:15 is -50.0% from the close before it");
    tell(reading("SYM0", 5, 61.27));
    expect([read(rsi), find(rsi).title]).toEqual(["61.3", "5m candle of 10:00"]);
  });
  it("has the newest pattern with timeframe and direction in words, until the price refutes it", () => {
    screen.say(screen.from.make("patterns", { is_all: true, patterns: [patternRow()] }));
    expect(read(`${row("SYM0")} ${id("pattern-tag")}`)).toBe("Hammer ▲up 5m · 10:00");
    const arrow = (): string => find(`${row("SYM0")} ${id("pattern-tag")} [aria-hidden]`).className;
    expect(arrow()).toContain("up");
    screen.prices(rowValues({ freshness: 1 }), rowValues());
    expect(arrow()).not.toContain("up");
    screen.prices(rowValues({ last_price: 122_000 }), rowValues());
    expect(read(`${row("SYM0")} ${id("pattern-tag")}`)).toBe("—");
  });
  it("draws the last closes and tells their change", () => {
    const closes = [["SYM0", TEN, 100], ["SYM0", TEN + 60_000, 101]] as const;
    screen.say(screen.from.make("closes", { is_all: true, closes }));
    expect(read(`${row("SYM0")} ${id("spark")}`)).toBe("+1.00%");
    expect(find(`${row("SYM0")} path`).getAttribute("d")).toMatch(/^M.*L/);
    expect(find(`${row("SYM0")} path`).getAttribute("class")).toContain("up");
    screen.prices(rowValues({ freshness: 1 }), rowValues());
    expect(find(`${row("SYM0")} path`).getAttribute("class")).not.toContain("up");
  });
  it("takes a column off and moves one by keys alone, and remembers it", async () => {
    screen.press("o", document.body);
    await screen.settle();
    const dialog = find(id("columns"));
    expect(dialog.hasAttribute("open")).toBe(true);
    find(`${id("columns")} [data-column="vwap"] input`).click();
    const button = find(`${id("columns")} [data-column="age"] button[aria-label="Age further left"]`);
    button.click();
    screen.paint();
    expect(all("th.vwap")).toHaveLength(0);
    const heads = all("#watchlist thead th").map((one) => one.classList[0]);
    expect(heads.indexOf("age")).toBe(heads.indexOf("volume") - 1);
    expect(loadChoice(localStorage).hidden.has("vwap")).toBe(true);
    expect(find(`${id("columns")} [data-column="symbol"] input`).hasAttribute("disabled")).toBe(true);
    const chart = all(`${id("columns")} [aria-label="Timeframe of RSI and ATR"] button`).find(
      (one) => one.textContent === "15m",
    );
    chart?.click();
    screen.paint();
    tell(reading("SYM0", 15, 33));
    expect(read(`${row("SYM0")} ${id("rsi")}`)).toBe("33.0");
  });
});
