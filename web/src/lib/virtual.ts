/** Which rows of a long list are drawn. */

const FROM = 60;
const OVERSCAN = 6;

export interface Slice {
  readonly first: number;
  /** One past the last row drawn. */
  readonly end: number;
}

/** All rows up to 60; above, those in view and a few around them. Heights in pixels. */
export function visibleRows(rows: number, scrolled: number, height: number, rowHeight: number): Slice {
  if (rows <= FROM || rowHeight <= 0) return { first: 0, end: rows };
  const first = Math.max(0, Math.floor(scrolled / rowHeight) - OVERSCAN);
  const drawn = Math.ceil(height / rowHeight) + 2 * OVERSCAN;
  return { first: Math.min(first, Math.max(0, rows - drawn)), end: Math.min(rows, first + drawn) };
}
