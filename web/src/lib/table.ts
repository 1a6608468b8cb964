/** The newest candles with their indicators and patterns, as the rows of a table. */

import type { Candle } from "./candles";
import { type Choice, chosenStudies } from "./choice";
import { patternSide, plainName } from "./patternwords";
import type { Store } from "./store";
import { outputTitle, studyText } from "./studies";

export interface TableRow {
  readonly candle: Candle;
  /** `bullish hammer, bearish harami`, or empty. */
  readonly patterns: string;
  /** One for each of `studyHeads`; a flat window says so. */
  readonly values: readonly string[];
}

/** The heads of the indicator columns. */
export const studyHeads = (choice: Choice): string[] =>
  chosenStudies(choice).flatMap((study) => study.outputs.map((output) => outputTitle(study, output)));

/** The newest `count` candles, newest first. */
export function tableRows(store: Store, choice: Choice, count: number, scale: number): TableRow[] {
  const { series, overlays } = store;
  const studies = chosenStudies(choice);
  return series.candles
    .slice(-count)
    .toReversed()
    .map((candle) => {
      const row = overlays.row(candle.startMs);
      const values = studies.flatMap(({ outputs, unit }) =>
        outputs.map(({ name }) => {
          const text = studyText(row?.values[overlays.names.indexOf(name)] ?? NaN, unit, scale);
          if (row !== null && row.withheld !== "") return "withheld";
          return row?.degenerate.includes(name) === true ? `${text} flat` : text;
        }),
      );
      const found = choice.patterns === "none" ? [] : overlays.patterns(candle.startMs);
      const patterns = found.map((one) => `${patternSide(one)} ${plainName(one)}`).join(", ");
      return { candle, patterns, values };
    });
}
