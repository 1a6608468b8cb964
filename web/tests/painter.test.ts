import { expect, it } from "vitest";
import { createPainter } from "../src/lib/painter";

function frames() {
  const waiting: (() => void)[] = [];
  return {
    next: (draw: () => void) => void waiting.push(draw),
    run: () => waiting.splice(0).forEach((draw) => draw()),
    waiting,
  };
}

it("paints each changed panel once per frame, however many changes came", () => {
  const frame = frames();
  const painter = createPainter(frame.next);
  const painted: string[] = [];
  painter.onPaint("watchlist", () => painted.push("watchlist"));
  painter.onPaint("strip", () => painted.push("strip"));
  for (let i = 0; i < 100; i += 1) painter.invalidate(["watchlist"]);
  expect(frame.waiting.length).toBe(1);
  frame.run();
  expect(painted).toEqual(["watchlist"]);
});

it("paints again after the frame when something changed while painting", () => {
  const frame = frames();
  const painter = createPainter(frame.next);
  let times = 0;
  painter.onPaint("chart", () => {
    times += 1;
    if (times === 1) painter.invalidate(["chart"]);
  });
  painter.invalidate(["chart"]);
  frame.run();
  frame.run();
  frame.run();
  expect(times).toBe(2);
});

it("stops painting what was taken away", () => {
  const frame = frames();
  const painter = createPainter(frame.next);
  let times = 0;
  const stop = painter.onPaint("log", () => (times += 1));
  stop();
  painter.invalidate(["log"]);
  frame.run();
  expect(times).toBe(0);
});

it("asks for no frame when nothing changed", () => {
  const frame = frames();
  createPainter(frame.next).invalidate([]);
  expect(frame.waiting.length).toBe(0);
});
