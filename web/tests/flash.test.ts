import { expect, it } from "vitest";
import { createFlash } from "../src/lib/flash";

function cell() {
  const seen: string[] = [];
  const element = document.createElement("td");
  element.animate = () => {
    seen.push("flash");
    return { cancel: () => void seen.push("cancel") } as unknown as Animation;
  };
  return { element, seen };
}

it("flashes at most once in 250 ms, however often the price moves", () => {
  const { element, seen } = cell();
  let now = 0;
  const flash = createFlash(() => now);
  for (let moves = 0; now <= 1_000; now += 50) flash(element, (moves += 1), "up");
  expect(seen.length).toBe(4);
});

it("does not flash for a price that was there before, nor for one that did not move", () => {
  const { element, seen } = cell();
  const flash = createFlash(() => 0);
  flash(element, 7, "up");
  flash(element, 7, "down");
  expect(seen).toEqual([]);
});

it("never leaves the colour of the other direction standing", () => {
  const { element, seen } = cell();
  const flash = createFlash(() => 0);
  flash(element, 1, "up");
  flash(element, 2, "up");
  flash(element, 3, "down");
  expect(seen).toEqual(["flash", "cancel"]);
});

it("stops at once when the price may no longer be trusted", () => {
  const { element, seen } = cell();
  const flash = createFlash(() => 0);
  flash(element, 1, "up");
  flash(element, 2, "up");
  flash(element, 3, "none");
  expect(seen).toEqual(["flash", "cancel"]);
});
