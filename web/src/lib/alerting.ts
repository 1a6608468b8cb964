/** What a person does with alerts: read, set, change, quieten, acknowledge. */

import type {
  AlertHistoryAnswer,
  AlertsAnswer,
  RuleAnswer,
  RuleRequest,
  SourceAnswer,
  SourcesAnswer,
} from "../messages.gen";
import type { Page } from "./page";
import { Refused } from "./session";

const PATH = "api/v1/alerts";

/** What a form asks for; the program fills in the rest. */
export type Wish = Partial<Omit<RuleRequest, "hysteresis">> &
  Pick<RuleRequest, "symbol" | "source" | "comparison" | "threshold"> & { hysteresis?: number | string | null };

/** The number that was typed; where it is none the text itself, so that the program says so. */
export function typed(text: string): number | string {
  const number = text.trim() === "" ? NaN : Number(text);
  return Number.isNaN(number) ? text : number;
}

/** Read the rules and what was raised; what is wrong is kept in the book. */
export async function refresh(page: Page): Promise<void> {
  const book = page.store.alerts;
  book.isStale = false;
  try {
    const answers = await Promise.all([page.read(PATH), page.read(`${PATH}/history`)]);
    book.load(answers[0] as AlertsAnswer, answers[1] as AlertHistoryAnswer);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    book.refusal = error.message;
  }
  page.painter.invalidate(["alerts"]);
}

/** Everything an alert may look at. Throws Refused. */
export async function sources(page: Page): Promise<readonly SourceAnswer[]> {
  return ((await page.read(`${PATH}/sources`)) as SourcesAnswer).sources;
}

export const addRule = (page: Page, wish: Wish): Promise<string> => page.command("POST", PATH, wish);

export const changeRule = (page: Page, id: number, wish: Wish): Promise<string> =>
  page.command("POST", `${PATH}/${id}`, wish);

export const removeRule = (page: Page, id: number): Promise<string> => page.command("DELETE", `${PATH}/${id}`);

export const muteRule = (page: Page, rule: RuleAnswer): Promise<string> =>
  page.command("POST", `${PATH}/${rule.id}/${rule.muted ? "unmute" : "mute"}`);

/** Let a rule be quiet for some minutes; 0 wakes it. */
export const snoozeRule = (page: Page, id: number, minutes: number): Promise<string> =>
  page.command("POST", `${PATH}/${id}/snooze`, { minutes });

/** Mark alerts as seen; none named for all. */
export const acknowledge = (page: Page, numbers: readonly number[]): Promise<string> =>
  page.command("POST", `${PATH}/acknowledge`, { numbers });
