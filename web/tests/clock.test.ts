import { describe, expect, it } from "vitest";
import { ageMs, marketNow } from "../src/lib/clock";
import { mayColour, shownFreshness, worst } from "../src/lib/freshness";
import { marketMs, wallMs } from "../src/lib/messages";
import { FRESHNESS, TEN } from "./makers";

const clock = (rate: number) => ({ atMs: marketMs(TEN), rate, wall: wallMs(1_000) });

describe("market time", () => {
  it("runs at its own rate between two messages", () => {
    expect(marketNow(clock(1), wallMs(1_500))).toBe(TEN + 500);
    expect(marketNow(clock(20), wallMs(1_500))).toBe(TEN + 10_000);
    expect(marketNow(clock(0), wallMs(9_000))).toBe(TEN);
  });
  it("makes ages that are never negative, and not a number where nothing came", () => {
    expect(ageMs(clock(20), wallMs(1_500), TEN + 4_000)).toBe(6_000);
    expect(ageMs(clock(1), wallMs(1_000), TEN + 50)).toBe(0);
    expect(ageMs(clock(1), wallMs(1_000), NaN)).toBeNaN();
  });
});

describe("freshness on the page", () => {
  it("is stale for everything that ever came as soon as the link is not up", () => {
    for (const told of FRESHNESS) {
      expect(shownFreshness(told, 0, false)).toBe(told === "unknown" ? "unknown" : "stale");
    }
  });
  it("grows old here when the server says nothing more", () => {
    expect(shownFreshness("fresh", 5_000, true)).toBe("fresh");
    expect(shownFreshness("fresh", 5_001, true)).toBe("quiet");
    expect(shownFreshness("fresh", 60_001, true)).toBe("stale");
  });
  it("is never better than what the server said", () => {
    for (const told of ["stale", "gap", "closed", "quiet"] as const) {
      expect(shownFreshness(told, 0, true)).toBe(told);
    }
  });
  it("takes the colour from a price that may not be true", () => {
    expect(FRESHNESS.filter(mayColour)).toEqual(["closed", "fresh", "quiet"]);
  });
  it("of many is the worst of them", () => {
    expect(worst(["fresh", "quiet", "stale", "gap"])).toBe("stale");
    expect(worst(["fresh", "closed"])).toBe("fresh");
    expect(worst([])).toBe("unknown");
  });
});
