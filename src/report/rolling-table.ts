/**
 * A table of rows that come one by one: the widths of the columns come from the first rows and only ever grow, so that they
 * stay put while one scrolls.
 */
import { PLAIN, type Theme, type Tone } from '../output/theme.js';
import { textWidth } from './table.js';

/** A text, and what it is. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

/** A column that gives way to the others, and the columns of the terminal that are left to it; 0: it is left out. */
export interface Giving {
  readonly column: number;
  readonly least: number;
}

/** Rows that are looked at before the first is written. */
const LOOK = 40;

export class RollingTable {
  private held: (readonly Cell[])[] = [];
  private holding: boolean;
  private readonly widths: number[];
  /** Widths of the cells of the row that was measured last. */
  private readonly own: number[] = [];

  constructor(
    /** Gets each line. */
    private readonly line: (text: string) => void,
    private readonly options: {
      readonly theme?: Theme;
      /** Columns that stand at the right. */
      readonly right?: ReadonlySet<number>;
      /** Columns of the terminal, beyond which lines are cut; 0 when they are not. */
      readonly width?: number;
      /** Widths to begin with. */
      readonly least?: readonly number[];
      /** Write each row at once, as for live captures. */
      readonly live?: boolean;
      /** Columns that make room where the terminal is too narrow, in this order: each is cut to `least`, or left out for 0. */
      readonly gives?: readonly Giving[];
      /** Columns of the terminal that they have to leave to the last column; none by default, where that is a mere remark. */
      readonly rest?: number;
      /** The sign of a cut. */
      readonly ellipsis?: string;
    } = {},
  ) {
    this.holding = !options.live;
    this.widths = [...(options.least ?? [])];
  }

  row(cells: readonly Cell[]): void {
    if (!this.holding) return this.write(cells);
    this.held.push(cells);
    if (this.held.length >= LOOK) this.release();
  }

  /** Write what is held back. */
  release(): void {
    this.holding = false;
    for (const cells of this.held) this.measure(cells);
    for (const cells of this.held) this.write(cells);
    this.held = [];
  }

  private measure(cells: readonly Cell[]): void {
    const { widths, own } = this;
    const { right } = this.options;
    const last = cells.length - 1;
    for (let i = 0; i <= last; i++) {
      const width = textWidth(textOf(cells[i]!));
      own[i] = width;
      if ((i < last || right?.has(i)) && !(widths[i]! >= width)) widths[i] = width;
    }
  }

  private write(cells: readonly Cell[]): void {
    this.measure(cells);
    const { theme = PLAIN, right, width = 0, ellipsis = '…' } = this.options;
    const limits = this.limits(cells.length);
    let line = '';
    let used = 0;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!;
      const limit = limits?.[i] ?? Number.POSITIVE_INFINITY;
      if (limit === 0) continue;
      const text = textOf(cell);
      const last = i === cells.length - 1;
      const own = Math.min(this.own[i]!, limit);
      const blanks = ' '.repeat(Math.max(0, Math.min(this.widths[i] ?? 0, limit) - own));
      const left = width === 0 ? Number.POSITIVE_INFINITY : width - used - (right?.has(i) ? blanks.length : 0);
      const room = Math.min(left, limit);
      if (room <= 0) break;
      const shown = this.own[i]! > room ? `${cutTo(text, room - textWidth(ellipsis))}${ellipsis}` : text;
      const painted = typeof cell === 'string' ? shown : theme.paint(shown, cell.tone);
      line += right?.has(i) ? blanks + painted : last ? painted : painted + blanks;
      used += own + blanks.length;
      if (last) break;
      line += '  ';
      used += 2;
    }
    this.line(line.trimEnd());
  }

  /** How wide each of the columns may be, where some have to give way; the last one takes what is left. */
  private limits(columns: number): number[] | undefined {
    const { width = 0, gives = [] } = this.options;
    if (width === 0 || gives.length === 0) return undefined;
    const limits = Array.from({ length: columns }, (_, i) => (i === columns - 1 ? Number.POSITIVE_INFINITY : (this.widths[i] ?? 0)));
    let over = (this.options.rest ?? -2) - width;
    for (let i = 0; i < columns - 1; i++) over += limits[i]! + 2;
    for (const { column, least } of gives) {
      if (over <= 0) break;
      const from = limits[column]!;
      // A column that is left out is not seen in part.
      limits[column] = least === 0 ? 0 : Math.min(from, Math.max(least, from - over));
      // It takes its gap with it.
      over -= from - limits[column]! + (limits[column] === 0 ? 2 : 0);
    }
    return limits;
  }
}

const textOf = (cell: Cell) => (typeof cell === 'string' ? cell : cell.text);

/** The beginning of a text that takes no more than `columns`. */
function cutTo(text: string, columns: number): string {
  let kept = '';
  let used = 0;
  for (const c of text) {
    used += textWidth(c);
    if (used > columns) break;
    kept += c;
  }
  return kept;
}
