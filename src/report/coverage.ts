/** The last line of a table: what the capture lacks, so that nobody takes silence for health. */
import { countText, sizeText } from './quantities.js';
import { plural } from './signs.js';

/** What the capture lost. */
export interface Losses {
  /** Gaps in byte streams, and the octets missing in them; undefined where no byte streams are read. */
  readonly holes: number | undefined;
  readonly missing: number;
  /** Frames that were captured in part. */
  readonly cut: number;
  /** Packets that the kernel dropped while capturing; undefined when the capture does not say. */
  readonly dropped: number | undefined;
}

/** What is missing in the capture, in words: `no holes`, `0 frames cut short`, `drops by the kernel not recorded`. */
export function lossTexts({ holes, missing, cut, dropped }: Losses): string[] {
  const parts: string[] = [];
  if (holes !== undefined)
    parts.push(holes === 0 ? 'no holes' : `${plural(holes, 'hole')} in byte streams (${sizeText(missing)} not captured)`);
  parts.push(`${plural(cut, 'frame')} cut short`, dropsText(dropped));
  return parts;
}

/** The same for a JSON record. */
export const lossRecord = ({ holes, missing, cut, dropped }: Losses): object => ({
  ...(holes !== undefined && { holes, missing_octets: missing }),
  cut_short: cut,
  dropped_by_kernel: dropped ?? null,
});

/** What is known of packets that the kernel dropped. */
export const dropsText = (dropped: number | undefined): string =>
  dropped === undefined ? 'drops by the kernel not recorded' : `${countText(dropped)} dropped by the kernel`;

/**
 * A last line on a screen of `width` columns (0: no screen), broken where one part ends and the next begins, further lines
 * set in. `sign` stands between the parts.
 */
export function folded(text: string, width: number, sign = '·'): string {
  if (width === 0 || text.length <= width) return text;
  let lines = '';
  let line = '';
  for (const part of text.split(` ${sign} `)) {
    if (line === '') line = part;
    else if (line.length + part.length + 3 <= width - 2) line += ` ${sign} ${part}`;
    else {
      lines += `${line} ${sign}\n`;
      line = `  ${part}`;
    }
  }
  return lines + line;
}
