/** What a person can ask of the program: the link to the feed and the watchlist. */

import type { InstrumentRow, SearchAnswer } from "../messages.gen";
import type { Page } from "./page";
import { Refused } from "./session";

export const reconnect = (page: Page): Promise<string> => page.command("POST", "api/v1/feed/reconnect");

export const takeOver = (page: Page): Promise<string> => page.command("POST", "api/v1/feed/take-over");

/** Watch an instrument by its symbol or key, last in the list. */
export const addSymbol = (page: Page, what: string): Promise<string> =>
  page.command("POST", "api/v1/symbols", { what });

/** Watch it again, under its name and where it was: before that symbol, or last. */
export const putBack = (page: Page, { symbol, name }: InstrumentRow, before: string | null): Promise<string> =>
  page.command("POST", "api/v1/symbols", { what: symbol, name, before });

export function removeSymbol(page: Page, symbol: string): Promise<string> {
  return page.command("DELETE", `api/v1/symbols/${encodeURIComponent(symbol)}`);
}

/** The instruments of the broker's list that hold every word. Throws Refused. */
export async function search(page: Page, words: string, signal: AbortSignal): Promise<SearchAnswer> {
  return (await page.read(`api/v1/symbols/search?q=${encodeURIComponent(words)}`, signal)) as SearchAnswer;
}

/** The sentence to show after a wish: the answer, or the refusal. */
export async function outcome(wish: Promise<string>): Promise<{ text: string; refused: boolean }> {
  try {
    return { text: await wish, refused: false };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { text: error.message, refused: true };
  }
}
