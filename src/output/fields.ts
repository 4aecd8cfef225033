/** Chosen fields as columns: `-T fields` and `-T csv`. */
import { NetlensError } from '../core/errors.js';
import { type Field, valueText } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { didYouMean } from '../core/near.js';
import { remarkTexts } from '../core/remarks.js';
import { eachValue } from '../core/select.js';
import { safeText, type TextBuffer } from '../core/text.js';

/** How columns are written. */
export interface ColumnOptions {
  /** Between columns; tab by default. */
  readonly separator: string;
  /** Around every value: `"` or `'`, or nothing. */
  readonly quote: '' | '"' | "'";
  /** Between several values of a field. */
  readonly aggregator: string;
  /** Which of several values: all, the first, the last. */
  readonly occurrence: 'a' | 'f' | 'l';
}

/** A column: a name as it was asked for, and the fields it stands for. */
export interface Column {
  readonly name: string;
  readonly fields: readonly Field[];
  /** Columns that are no field: `_ws.col.Info`, `_ws.col.Protocol`; and protocols by presence. */
  readonly write?: (frame: Frame) => string;
}

/** Find the fields of a column name, or say what is near. */
export function columnOf(name: string, known: ReadonlyMap<string, readonly Field[]>): Column {
  const fields = known.get(name);
  if (fields) return { name, fields };
  switch (name.toLowerCase()) {
    case '_ws.col.info':
      return { name, fields: [], write: (frame) => frame.info };
    case '_ws.col.protocol':
      return { name, fields: [], write: (frame) => frame.top.shortName };
    case '_ws.expert':
      return { name, fields: [], write: (frame) => remarkTexts(frame).join(',') };
  }
  const [first] = [...known.values()].flat().filter((field) => field.protocol.name === name);
  if (first) {
    const { protocol } = first;
    return { name, fields: [], write: (frame) => frame.layers.flatMap((l) => (l.protocol === protocol ? [protocol.label] : [])).join(',') };
  }
  throw new NetlensError('usage', `no field ${safeText(name)}${didYouMean(name, known.keys())} (\`netlens fields PATTERN\` lists them)`);
}

/**
 * Write the values of `columns` in a frame as one line.
 * @example
 * const out = new TextBuffer();
 * const columns = ['ip.src', 'dns.qry.name'].map((name) => columnOf(name, FIELDS));
 * for await (const frame of open('fixtures/dns.pcap'))
 *   writeColumns(out, frame, columns, { separator: '\t', quote: '', aggregator: ',', occurrence: 'a' });
 * console.log(out.toString());
 */
export function writeColumns(out: TextBuffer, frame: Frame, columns: readonly Column[], options: ColumnOptions): void {
  const { separator, quote, aggregator, occurrence } = options;
  for (let i = 0; i < columns.length; i++) {
    if (i > 0) out.unicode(separator);
    const column = columns[i]!;
    let text = '';
    if (column.write) text = column.write(frame);
    else {
      let first = true;
      eachValue(frame, column.fields, (raw, field) => {
        const value = valueText(field, raw);
        if (occurrence === 'l') text = value;
        else if (first) text = value;
        else if (occurrence === 'a') text += aggregator + value;
        first = false;
      });
    }
    if (quote !== '' && text !== '') text = quote + text.replaceAll(quote, quote + quote) + quote;
    out.text(text);
  }
  out.byte(10);
}
