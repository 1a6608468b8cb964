import { describe, expect, it } from "vitest";
import type { Pulse } from "../src/messages.gen";
import { milliseconds, timeline } from "../src/lib/timeline";
import { HEALTH, TEN } from "./makers";

const BOX = { width: 600, height: 100 };
const pulse = (second: number, median: number | null): Pulse => ({
  ...HEALTH.pulse,
  at_ms: TEN + second * 1_000,
  feed_median_ms: median,
  feed_worst_ms: median,
});
const median = (...pulses: Pulse[]): string =>
  timeline(pulses, [], 1, BOX).lines.find((line) => line.name === "median")?.path ?? "";

describe("the latency line", () => {
  it("runs from pulse to pulse on a scale of powers of ten", () => {
    expect(median(pulse(0, 1), pulse(30, null), pulse(59, 100), pulse(60, 10_000))).toBe("M0 100M590 50L600 0");
  });
  it("breaks where nothing was measured, and over a hole in time", () => {
    expect(median(pulse(56, 1), pulse(57, null), pulse(58, 1), pulse(59, 1)).split("M")).toHaveLength(3);
    expect(median(pulse(0, 1), pulse(1, 1), pulse(30, 1), pulse(60, 1)).split("M")).toHaveLength(4);
  });
  it("stays inside its box", () => {
    expect(median(pulse(0, 0.01), pulse(60, 60_000))).toBe("M0 100M600 0");
  });
  it("of a market that runs faster is as unbroken", () => {
    const fast = [0, 20, 40, 60].map((second) => pulse(second, 10));
    const path = timeline(fast, [], 20, BOX).lines.find((line) => line.name === "median")?.path ?? "";
    expect(path.split("M")).toHaveLength(2);
  });
});

describe("the stretches without a link", () => {
  const outage = (from: number, until: number | null) => ({
    from_ms: TEN + from * 1_000,
    until_ms: until === null ? null : TEN + until * 1_000,
    cause: "closed",
    reason: "",
  });
  const bands = (...outages: ReturnType<typeof outage>[]) =>
    timeline([pulse(0, 1), pulse(60, 1)], outages, 1, BOX).bands.map(({ left, width }) => [left, width]);

  it("are as long as they were, and never too thin to see", () => {
    expect(bands(outage(6, 12), outage(30, 30))).toEqual([[60, 60], [300, 2]]);
  });
  it("are cut at the edges; older ones are left out", () => {
    expect(bands(outage(-100, -50), outage(-50, 6), outage(54, null))).toEqual([[0, 60], [540, 60]]);
  });
});

it("says in words what it draws", () => {
  expect(timeline([], [], 1, BOX).summary).toBe("Latency: nothing measured yet");
  const { summary } = timeline([pulse(0, 12), pulse(1, 30), pulse(2, null)], [], 1, BOX);
  expect(summary).toBe("Latency of the last minutes: feed lag now 30 ms, at worst 30 ms");
});

it("prints a latency as short as it is true", () => {
  expect([null, 0.34, 9.96, 123.4, 1_540, -171.4].map(milliseconds)).toEqual(["—", "0.3 ms", "10 ms", "123 ms", "1.5 s", "−171 ms"]);
});
