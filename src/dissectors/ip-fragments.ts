/** What IPv4 and IPv6 say alike about a datagram that was put together from fragments. */
import { bool, bytes, type Field, frameNumber, many, mark, uint32 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import type { Datagram } from '../core/session.js';

/** The rows of a reassembled datagram: `ip.fragment`, `ipv6.fragment` and so on; `heading` is the row they stand under. */
export const fragmentRows = <H>(prefix: 'ip' | 'ipv6', label: string, heading: Field<H>) => ({
  fragments: heading,
  fragment: many(frameNumber(`${prefix}.fragment`, `${label} Fragment`)),
  fragmentError: many(frameNumber(`${prefix}.fragment.error`, 'Defragmentation error')),
  fragmentOverlap: many(bool(`${prefix}.fragment.overlap`, 'Fragment overlap')),
  fragmentConflict: many(bool(`${prefix}.fragment.overlap.conflict`, 'Conflicting data in fragment overlap')),
  fragmentTails: many(bool(`${prefix}.fragment.multipletails`, 'Multiple tail fragments found')),
  fragmentTooLong: many(bool(`${prefix}.fragment.toolongfragment`, 'Fragment too long')),
  fragmentCount: uint32(`${prefix}.fragment.count`, 'Fragment count'),
  reassembledLength: uint32(`${prefix}.reassembled.length`, `Reassembled ${label} length`),
  reassembledData: bytes(`${prefix}.reassembled.data`, `Reassembled ${label} data`, { quiet: true }),
});

/** `ip.fragments` holds the datagram itself, as Wireshark has it. */
export const ipv4FragmentRows = () => fragmentRows('ip', 'IPv4', bytes('ip.fragments', 'IPv4 Fragments', { quiet: true }));
/** `ipv6.fragments` is a mark. */
export const ipv6FragmentRows = () => fragmentRows('ipv6', 'IPv6', mark('ipv6.fragments', 'IPv6 Fragments'));

/** Write what is known of `datagram` into a layer's tree. */
export function walkDatagram(
  tree: Tree,
  rows: ReturnType<typeof ipv4FragmentRows> | ReturnType<typeof ipv6FragmentRows>,
  datagram: Datagram,
): void {
  const { data, parts } = datagram;
  const node = tree.openPut(rows.fragments as Field, rows.fragments.type === 'none' ? true : data);
  node.text = `${parts.length} ${rows.fragments.label} (${data.length} bytes)`;
  for (const part of parts) {
    const wrong = part.conflict || part.otherTail || part.tooLong;
    tree.openPut(wrong ? rows.fragmentError : rows.fragment, part.frame);
    if (part.overlap) tree.put(rows.fragmentOverlap, true);
    if (part.conflict) tree.put(rows.fragmentConflict, true);
    if (part.otherTail) tree.put(rows.fragmentTails, true);
    if (part.tooLong) tree.put(rows.fragmentTooLong, true);
    tree.close();
  }
  tree.put(rows.fragmentCount, parts.length);
  tree.put(rows.reassembledLength, data.length);
  tree.put(rows.reassembledData, data);
  tree.close();
}
