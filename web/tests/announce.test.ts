import { expect, it } from "vitest";
import { createAnnouncer } from "../src/lib/announce";
import { commandOf } from "../src/lib/keys";
import { wallMs } from "../src/lib/messages";
import { applyAppearance, loadAppearance, saveAppearance } from "../src/lib/theme";

it("speaks at most once per five seconds, and then only the newest words", () => {
  const announce = createAnnouncer();
  expect(announce("feed fresh", wallMs(0))).toBe("feed fresh");
  expect(announce("feed stale", wallMs(1_000))).toBeNull();
  expect(announce("feed gap", wallMs(2_000))).toBeNull();
  expect(announce("feed gap", wallMs(5_000))).toBe("feed gap");
  expect(announce("feed gap", wallMs(60_000))).toBeNull();
});

it("keys do nothing while a text field has the focus or with a modifier", () => {
  const field = document.createElement("input");
  document.body.append(field);
  let seen: unknown = "none";
  field.addEventListener("keydown", (event) => (seen = commandOf(event)));
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "j" }));
  expect(seen).toBeNull();
  expect(commandOf(new KeyboardEvent("keydown", { key: "j", ctrlKey: true }))).toBeNull();
  expect(commandOf(new KeyboardEvent("keydown", { key: "j" }))).toEqual({ kind: "move", by: 1 });
  field.remove();
});

it("keeps the appearance and reads nonsense as the default", () => {
  saveAppearance(localStorage, { theme: "system", palette: "colour-blind" });
  expect(loadAppearance(localStorage)).toEqual({ theme: "system", palette: "colour-blind" });
  expect(loadAppearance({ getItem: () => "purple" })).toEqual({ theme: "dark", palette: "classic" });
  const root = document.createElement("div");
  applyAppearance(root, { theme: "system", palette: "classic" }, true);
  expect(root.dataset["theme"]).toBe("light");
  localStorage.clear();
});
