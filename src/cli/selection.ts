/** From options to what selects frames and what becomes of them. */
import type { DisplayFilter } from '../filter/index.js';
import type { ViewOptions } from './options.js';
import type { Selection } from './view.js';

/** A selection that holds a file open. */
export type OpenSelection = Selection & {
  /** What the display filter asks about beyond single frames. */
  readonly needs: { readonly streams: boolean; readonly tcpAnalysis: boolean };
  /** The display filter that {@link Selection.display} asks. */
  readonly filter: DisplayFilter | undefined;
  /** Finishes the written file. */
  close(): Promise<void>;
  /** Said at the end, e.g. what a capture filter missed. */
  readonly remark: string | undefined;
};

export interface SelectionSource {
  /** Files that are read, which must not be written over. */
  readonly inputs?: readonly string[];
  /** Link type of the first interface, for which a capture filter is checked before reading; undefined where the kernel filters. */
  readonly linkType?: number | undefined;
}

/** The filters and the writer that the options ask for. */
export async function selectionFor(options: ViewOptions, { inputs = [], linkType }: SelectionSource = {}): Promise<OpenSelection> {
  const { count, write } = options;
  const display =
    options.displayFilter === undefined ? undefined : (await import('../filter/index.js')).compileDisplayFilter(options.displayFilter);
  const packets =
    options.filter === undefined || linkType === undefined
      ? undefined
      : await (await import('../capture/packet-filter.js')).PacketFilter.create(options.filter, linkType);
  const writer =
    write === undefined
      ? undefined
      : await (await import('../capture/write.js')).openWriter(write, {
          inputs,
          inPlace: inputs.length > 0,
          application: `netlens ${__VERSION__}`,
        });
  return {
    count,
    packet: packets && ((record) => packets.test(record)),
    display: display?.test,
    filter: display,
    needs: { streams: display?.needsStreams ?? false, tcpAnalysis: display?.needsTcpAnalysis ?? false },
    chosen: writer && ((record) => writer.write(record)),
    settle: writer && (() => writer.drain()),
    begin: writer && ((reader) => writer.keep(reader)),
    close: async () => writer?.close(),
    get remark() {
      return packets?.remark;
    },
  };
}

declare const __VERSION__: string;
