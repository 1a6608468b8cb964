import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FRESHNESS, LIQUIDITY, VOLATILITY, instrument, rowValues } from "./makers";
import { type Screen, all, find, id, openScreen, read, row } from "./screen";

let screen: Screen;
beforeEach(async () => {
  screen = await openScreen();
  screen.connect([instrument(0), instrument(1), instrument(2)]);
});
afterEach(() => screen.close());

const flagged = (liquidity: string, volatility: string, baseline = 1) =>
  rowValues({
    liquidity: LIQUIDITY.findIndex((one) => one === liquidity),
    volatility: VOLATILITY.findIndex((one) => one === volatility),
    liquidity_baseline: baseline,
    volatility_baseline: baseline,
  });
const lines = (): string[] => all(`${id("quote-flags")} li`).map((one) => (one.textContent ?? "").replace(/\s+/g, " ").trim());

describe("the flags", () => {
  it("say in the quote what they mean for an order", () => {
    screen.prices(flagged("THIN", "EXTREME"));
    expect(lines()).toEqual([
      "!Thin an order moves the price (against its usual at this time)",
      "‼Extreme vol moves three times as much as usual, or is near its price band (against its usual at this time)",
    ]);
  });
  it("say that what is usual is not known yet", () => {
    screen.prices(flagged("LIQUID", "UNKNOWN", 0));
    expect(lines()).toEqual([
      "Liquid your order fills near the best price (no baseline yet)",
      "Vol not known too little measured (no baseline yet)",
    ]);
  });
  it("are none where none is told or nobody can vouch for them", () => {
    const none = { liquidity: NaN, volatility: NaN };
    screen.prices(rowValues(none), rowValues({ freshness: FRESHNESS.indexOf("stale") }));
    expect(lines()).toEqual([]);
    expect(read(`${row("SYM0")} ${id("flags")}`)).toBe("——");
    expect(read(`${row("SYM1")} ${id("flags")}`)).toBe("——");
  });
  it("sort by liquidity, then volatility, and what has none comes last", () => {
    screen.prices(flagged("LIQUID", "EXTREME"), flagged("THIN", "LOW"), rowValues({ liquidity: NaN }));
    const order = () => all(id("row")).map((one) => one.dataset["symbol"]);
    find("th.flags button").click();
    screen.paint();
    expect(order()).toEqual(["SYM1", "SYM0", "SYM2"]);
    find("th.flags button").click();
    screen.paint();
    expect(order()).toEqual(["SYM0", "SYM1", "SYM2"]);
  });
});
