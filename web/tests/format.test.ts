import { describe, expect, it } from "vitest";
import * as format from "../src/lib/format";
import { marketMs, priceUnits } from "../src/lib/messages";
import { TEN } from "./makers";

const nothing = priceUnits(NaN);

describe("prices", () => {
  it("are grouped the Indian way with as many decimals as the scale has", () => {
    expect(format.price(priceUnits(123456750), 100)).toBe("12,34,567.50");
    expect(format.price(priceUnits(842_537), 10_000)).toBe("84.2537");
  });
  it("carry the rupee sign where they stand alone", () => {
    expect(format.rupees(priceUnits(123456750), 100)).toBe("₹12,34,567.50");
  });
  it("that are not known are a dash, never zero", () => {
    for (const text of [
      format.price(nothing, 100),
      format.rupees(nothing, 100),
      format.difference(nothing, 100),
      format.ticks(nothing, 5),
      format.percent(NaN),
      format.ratio(NaN),
      format.count(NaN),
      format.short(NaN),
      format.age(NaN),
    ]) {
      expect(text).toBe("—");
    }
    expect(format.plain(nothing, 100)).toBe("");
  });
  it("for machines have no grouping", () => {
    expect(format.plain(priceUnits(123456750), 100)).toBe("1234567.50");
  });
  it("differ by a signed amount", () => {
    expect(format.difference(priceUnits(1235), 100)).toBe("+12.35");
    expect(format.difference(priceUnits(-1235), 100)).toBe("−12.35");
    expect(format.difference(priceUnits(0), 100)).toBe("0.00");
  });
});

describe("fractions and counts", () => {
  it("of a change show percent with its sign, and zero without", () => {
    expect(format.percent(0.0125)).toBe("+1.25%");
    expect(format.percent(-0.0125)).toBe("−1.25%");
    expect(format.percent(-0.00001)).toBe("0.00%");
  });
  it("of a spread are ticks", () => {
    expect(format.ticks(priceUnits(15), 5)).toBe("3");
    expect(format.ticks(priceUnits(7), 5)).toBe("1.4");
  });
  it("of shares are lakhs and crores in the short form", () => {
    expect(format.short(99_999)).toBe("99,999");
    expect(format.short(1_234_567)).toBe("12.35 L");
    expect(format.short(123_456_789)).toBe("12.35 Cr");
    expect(format.count(1_234_567)).toBe("12,34,567");
  });
});

describe("times", () => {
  it("are IST with seconds, whatever the zone of the machine", () => {
    expect(format.time(marketMs(TEN + 7_000))).toBe("10:00:07");
    expect(format.minute(marketMs(Date.UTC(2026, 10, 22, 18, 30)))).toBe("00:00");
    expect(format.date(marketMs(Date.UTC(2026, 10, 22, 18, 30)))).toBe("23 Nov");
    expect(format.longDate(marketMs(TEN))).toContain("2026");
  });
  it("that passed are ages in words", () => {
    expect(format.age(4_900)).toBe("4 s");
    expect(format.age(65_000)).toBe("1 min 5 s");
    expect(format.age(7_380_000)).toBe("2 h 3 min");
    expect([340, 9_900, 65_000].map(format.duration)).toEqual(["0.3 s", "9.9 s", "1 min 5 s"]);
  });
});
