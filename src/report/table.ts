/** Tables: rows of cells in aligned columns. */

/** How a column stands. */
export type Align = 'left' | 'right';

/** Columns a text takes on a terminal: wide East Asian characters two, combining marks none. */
export function textWidth(text: string): number {
  if (isNarrow(text)) return text.length;
  let width = 0;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    if (code < 0x300) width++;
    else if (/\p{Mark}/u.test(c)) continue;
    else width += isWide(code) ? 2 : 1;
  }
  return width;
}

/** One column a character, as almost all texts are: Latin letters, punctuation, arrows, lines. */
function isNarrow(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x300 && (code < 0x2010 || code >= 0x2b00 || (code >= 0x20d0 && code < 0x2100))) return false;
  }
  return true;
}

/** East Asian wide and emoji blocks (UAX 11). */
const isWide = (code: number): boolean =>
  (code >= 0x1100 && code <= 0x115f) ||
  (code >= 0x2e80 && code <= 0xa4cf) ||
  (code >= 0xac00 && code <= 0xd7a3) ||
  (code >= 0xf900 && code <= 0xfaff) ||
  (code >= 0xfe30 && code <= 0xfe6f) ||
  (code >= 0xff00 && code <= 0xff60) ||
  (code >= 0x1f300 && code <= 0x1faff) ||
  (code >= 0x20000 && code <= 0x3fffd);

/** Rows as lines with two blanks between columns; the last column is not filled up. */
export function alignColumns(rows: readonly (readonly string[])[], aligns: readonly Align[] = [], gap = 2): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, textWidth(cell));
  return rows.map((row) => {
    let line = '';
    row.forEach((cell, i) => {
      const blanks = ' '.repeat(Math.max(0, widths[i]! - textWidth(cell)));
      const last = i === row.length - 1;
      line += aligns[i] === 'right' ? blanks + cell : last ? cell : cell + blanks;
      if (!last) line += ' '.repeat(gap);
    });
    return line.trimEnd();
  });
}
