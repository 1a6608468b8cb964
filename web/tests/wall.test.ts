import { expect, it } from "vitest";
import { createWall } from "../src/lib/wall";

function clocks() {
  const at = { steady: 5_000, date: 1_700_000_000_000 };
  const wall = createWall(() => at.steady, () => at.date);
  return {
    wall,
    pass: (steady: number, date = steady): number => {
      at.steady += steady;
      at.date += date;
      return wall();
    },
  };
}

it("runs with the steady clock", () => {
  const { pass } = clocks();
  expect([pass(0), pass(250), pass(1_000)]).toEqual([0, 250, 1_250]);
});
it("counts the sleep of a computer whose steady clock stood still", () => {
  const { pass } = clocks();
  expect(pass(10, 3 * 3_600_000)).toBe(3 * 3_600_000);
  expect(pass(250)).toBe(3 * 3_600_000 + 250);
});
it("does not follow a date that is set back, or corrected by a little", () => {
  const { pass } = clocks();
  expect([pass(250, -3_600_000), pass(250, 900), pass(250)]).toEqual([250, 500, 750]);
});
