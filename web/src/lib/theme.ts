/** Theme and palette: kept in this browser, applied as attributes of the root element. */

export type ThemeChoice = "dark" | "light" | "system";
export type Palette = "classic" | "colour-blind";

export interface Appearance {
  readonly theme: ThemeChoice;
  readonly palette: Palette;
}

const KEY = "ticktick.appearance";
const DEFAULT: Appearance = { theme: "dark", palette: "classic" };

/** The kept choice; dark and classic when there is none or it cannot be read. */
export function loadAppearance(storage: Pick<Storage, "getItem">): Appearance {
  const [theme, palette] = (storage.getItem(KEY) ?? "").split(" ");
  return {
    theme: theme === "light" || theme === "system" ? theme : DEFAULT.theme,
    palette: palette === "colour-blind" ? palette : DEFAULT.palette,
  };
}

export function saveAppearance(storage: Pick<Storage, "setItem">, chosen: Appearance): void {
  storage.setItem(KEY, `${chosen.theme} ${chosen.palette}`);
}

export function applyAppearance(root: HTMLElement, chosen: Appearance, systemLight: boolean): void {
  const light = chosen.theme === "light" || (chosen.theme === "system" && systemLight);
  root.dataset["theme"] = light ? "light" : "dark";
  root.dataset["palette"] = chosen.palette;
}
