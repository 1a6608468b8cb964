/** The colours of the style sheet against the contrast the page promises (WCAG 2.2). */

import { describe, expect, it } from "vitest";
import css from "../src/tokens.css?raw";

/** Tokens of the theme and palette, as the cascade would give them. */
function tokens(theme: string, palette: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, selector = "", body = ""] of css.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    const themes = [...selector.matchAll(/data-theme="([^"]+)"/g)].map((match) => match[1]);
    const palettes = [...selector.matchAll(/data-palette="([^"]+)"/g)].map((match) => match[1]);
    if (!themes.every((one) => one === theme) || !palettes.every((one) => one === palette)) continue;
    for (const [, name = "", colour = ""] of body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)) {
      found.set(name, colour);
    }
  }
  return found;
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

it("the formula gives the known extremes", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrast("#e6edf3", "#0f1419")).toBeCloseTo(15.67, 1);
});

describe.each(["dark", "light"])("%s", (theme) => {
  describe.each(["classic", "colour-blind"])("%s", (palette) => {
    const of = tokens(theme, palette);
    const ratio = (one: string, other: string): number =>
      contrast(of.get(one) ?? "#000000", of.get(other) ?? "#000000");

    it.each(["text", "muted", "up", "down", "stale", "info"])("%s is readable on every ground", (name) => {
      for (const ground of ["bg", "panel", "raised"]) {
        expect(ratio(name, ground), `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    });
    it("graphics and the focus ring stand out", () => {
      for (const name of ["control", "focus"]) {
        expect(ratio(name, "panel"), name).toBeGreaterThanOrEqual(3);
      }
    });
    it("the lines of indicators stand out, are no up or down, and their names can be read", () => {
      const inks = ["ink-a", "ink-b", "ink-c", "ink-d", "ink-e"];
      for (const name of inks) expect(ratio(name, "panel"), name).toBeGreaterThanOrEqual(4.5);
      const taken = ["up", "down", "stale", "info"].map((name) => of.get(name));
      const used = inks.map((name) => of.get(name));
      expect(new Set(used).size).toBe(inks.length);
      expect(used.filter((colour) => taken.includes(colour))).toEqual([]);
    });
    it("every mode badge carries its white word", () => {
      for (const mode of ["demo", "view", "paper", "live", "replay"]) {
        expect(ratio("on-mode", `mode-${mode}`), mode).toBeGreaterThanOrEqual(4.5);
      }
    });
    it("words on glyphs and pressed buttons are readable", () => {
      for (const ground of ["info", "stale", "text"]) {
        expect(ratio("panel", ground), ground).toBeGreaterThanOrEqual(4.5);
      }
    });
  });
});
