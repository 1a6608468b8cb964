/** Which indicators and patterns the chart shows: kept in this browser. */

import { STUDIES, type Study, type StudyId } from "./studies";

/** Reversals that had a trend to turn, every pattern, or none. */
export type PatternChoice = "none" | "context" | "all";
export const PATTERN_CHOICES: readonly (readonly [PatternChoice, string])[] = [
  ["none", "none"],
  ["context", "reversals of a trend"],
  ["all", "all"],
];

export interface Choice {
  readonly studies: ReadonlySet<StudyId>;
  readonly patterns: PatternChoice;
}

export const NOTHING: Choice = { studies: new Set(), patterns: "none" };

export type ChoiceStorage = Pick<Storage, "getItem" | "setItem">;

const KEY = "ticktick.studies";
const DEFAULT = "ema vwap rsi|context";

/** The kept choice; what is not known any more is left out. */
export function loadChoice(storage: ChoiceStorage): Choice {
  const [studies = "", patterns = ""] = (storage.getItem(KEY) ?? DEFAULT).split("|");
  const names = new Set(studies.split(" "));
  const known = STUDIES.map((study) => study.id).filter((id) => names.has(id));
  return {
    studies: new Set(known),
    patterns: PATTERN_CHOICES.find(([name]) => name === patterns)?.[0] ?? "context",
  };
}

export function saveChoice(storage: ChoiceStorage, choice: Choice): void {
  storage.setItem(KEY, `${[...choice.studies].join(" ")}|${choice.patterns}`);
}

/** With the study where it was not chosen, without it where it was. */
export function toggled(choice: Choice, id: StudyId): Choice {
  const studies = new Set(choice.studies);
  if (!studies.delete(id)) studies.add(id);
  return { ...choice, studies };
}

/** The chosen studies, in their order. */
export const chosenStudies = (choice: Choice): readonly Study[] =>
  STUDIES.filter((study) => choice.studies.has(study.id));
