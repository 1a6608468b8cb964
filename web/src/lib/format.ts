/** Every number and time a person reads; the only place that divides by `price_scale`. */

import type { MarketMs, PriceUnits } from "./messages";

const ZONE = "Asia/Kolkata";
export const DASH = "—";
const MINUS = "−";

const decimals = new Map<number, Intl.NumberFormat>();
const currencies = new Map<number, Intl.NumberFormat>();
const whole = new Intl.NumberFormat("en-IN", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** The price as a plain number of rupees, for a chart's axis. */
export function inRupees(units: PriceUnits, scale: number): number {
  return units / scale;
}

/** `12,34,567.50`; a dash where the price is not known. */
export function price(units: PriceUnits, scale: number): string {
  return Number.isNaN(units) ? DASH : axisPrice(inRupees(units, scale), scale);
}

/** A number of rupees as an axis prints it: like `price`, of what `inRupees` made. */
export function axisPrice(inRupees: number, scale: number): string {
  return decimal(digits(scale)).format(inRupees).replace("-", MINUS);
}

/** `1234567.50`, for machines: the page's own attributes. */
export function plain(units: PriceUnits, scale: number): string {
  return Number.isNaN(units) ? "" : inRupees(units, scale).toFixed(digits(scale));
}

/** `₹12,34,567.50`; a dash where the price is not known. */
export function rupees(units: PriceUnits, scale: number): string {
  if (Number.isNaN(units)) return DASH;
  return currency(digits(scale)).format(inRupees(units, scale)).replace("-", MINUS);
}

/** Number of decimals of a price: 2 for paise. */
export function digits(scale: number): number {
  return Math.round(Math.log10(scale));
}

/** `+1.25%` of a fraction, sign always shown but for zero; a dash where it is not known. */
export function percent(fraction: number): string {
  if (Number.isNaN(fraction)) return DASH;
  const size = decimal(2).format(Math.abs(fraction) * 100);
  return `${sign(fraction, size)}${size}%`;
}

/** `+0.42`, for a ratio of -1 to +1; a dash where it is not known. */
export function ratio(value: number): string {
  if (Number.isNaN(value)) return DASH;
  const size = decimal(2).format(Math.abs(value));
  return `${sign(value, size)}${size}`;
}

/** `56.70`, for a value of an indicator that is no price; a dash where it is not known. */
export function figure(value: number): string {
  return Number.isNaN(value) ? DASH : decimal(2).format(value).replace("-", MINUS);
}

/** `61.4`, a number with so many decimals; a dash where it is not known. */
export function fixed(value: number, places: number): string {
  return Number.isNaN(value) ? DASH : decimal(places).format(value);
}

/** `+12.35`, a signed price difference; a dash where it is not known. */
export function difference(units: PriceUnits, scale: number): string {
  if (Number.isNaN(units)) return DASH;
  const size = decimal(digits(scale)).format(Math.abs(inRupees(units, scale)));
  return `${sign(units, size)}${size}`;
}

/** A width in ticks: `3` or `2.5`; a dash where it is not known. */
export function ticks(units: PriceUnits, tickSize: number): string {
  if (Number.isNaN(units)) return DASH;
  return String(Math.round((units / tickSize) * 10) / 10);
}

/** `12,34,567`; a dash where it is not known. */
export function count(value: number): string {
  return Number.isNaN(value) ? DASH : whole.format(value);
}

/** `12.35 L`, `1.20 Cr`: the short form of tiles; a dash where it is not known. */
export function short(value: number): string {
  if (Number.isNaN(value)) return DASH;
  if (value >= 1e7) return `${compact.format(value / 1e7)} Cr`;
  if (value >= 1e5) return `${compact.format(value / 1e5)} L`;
  return whole.format(value);
}

/** An age in words: `4 s`, `1 min 5 s`, `2 h 3 min`; a dash where it is not known. */
export function age(ms: number): string {
  if (Number.isNaN(ms)) return DASH;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** How long something lasted: as an age, but with tenths below ten seconds. */
export function duration(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : age(ms);
}

const formatter = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-IN", { timeZone: ZONE, ...options });
const two = "2-digit";
const seconds = formatter({ hour: two, minute: two, second: two, hourCycle: "h23" });
const minutes = formatter({ hour: two, minute: two, hourCycle: "h23" });
const day = formatter({ day: two, month: "short" });
const weekday = formatter({ weekday: "short", day: two, month: "short", year: "numeric" });

/** `10:42:07`, IST. */
export const time = (ms: MarketMs): string => seconds.format(ms);
/** `10:42`, IST. */
export const minute = (ms: MarketMs): string => minutes.format(ms);
/** `22 Nov`, IST. */
export const date = (ms: MarketMs): string => day.format(ms);
/** `Mon, 23 Nov 2026`, IST. */
export const longDate = (ms: MarketMs): string => weekday.format(ms);

function sign(value: number, printed: string): string {
  if (!/[1-9]/.test(printed)) return "";
  return value > 0 ? "+" : MINUS;
}

function decimal(places: number): Intl.NumberFormat {
  return cached(decimals, places, {});
}

function currency(places: number): Intl.NumberFormat {
  return cached(currencies, places, { style: "currency", currency: "INR" });
}

function cached(
  cache: Map<number, Intl.NumberFormat>,
  places: number,
  options: Intl.NumberFormatOptions,
): Intl.NumberFormat {
  const known = cache.get(places);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat("en-IN", {
    ...options,
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  cache.set(places, made);
  return made;
}
