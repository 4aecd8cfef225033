/**
 * Remarks on a frame: what expert fields of all its layers say, as Wireshark's `_ws.expert` sums it up, with how serious
 * it is and what it is about. Nothing is looked for before one of these rows is asked for.
 */
import { type ExpertGroup, Field, type FieldOptions, type FieldType, type Raw, type Severity } from './field.js';
import type { Frame } from './frame.js';
import { FrameLayer } from './frame-layer.js';
import type { Layer, Protocol, TreeNode } from './layer.js';

/** Wireshark's numbers, which stand for an order (PI_SEVERITY_MASK in its API). */
const SEVERITY: Readonly<Record<Severity | 'comment', number>> = {
  comment: 0x00100000,
  chat: 0x00200000,
  note: 0x00400000,
  warn: 0x00600000,
  error: 0x00800000,
};
const SEVERITY_NAME: Readonly<Record<number, string>> = {
  [SEVERITY.comment]: 'Comment',
  [SEVERITY.chat]: 'Chat',
  [SEVERITY.note]: 'Note',
  [SEVERITY.warn]: 'Warning',
  [SEVERITY.error]: 'Error',
};

/** The same of groups (PI_GROUP_MASK). */
const GROUP: Readonly<Record<ExpertGroup, number>> = {
  checksum: 0x01000000,
  sequence: 0x02000000,
  response: 0x03000000,
  request: 0x04000000,
  undecoded: 0x05000000,
  malformed: 0x07000000,
  protocol: 0x09000000,
  comment: 0x0b000000,
  decryption: 0x0c000000,
  deprecated: 0x0e000000,
};
const GROUP_NAME: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(GROUP).map(([name, number]) => [number, name[0]!.toUpperCase() + name.slice(1)]),
);

/** What one remark says. */
interface Remark {
  readonly severity: number;
  readonly group: number;
  readonly message: string;
}

/** Expert rows of a protocol: those before and after what its walk finds, and whether a walk may find any. */
interface Rows {
  readonly before: readonly Field[];
  readonly walked: boolean;
  readonly after: readonly Field[];
}
const rowsOf = new WeakMap<Protocol, Rows>();

function expertRows(protocol: Protocol): Rows {
  let rows = rowsOf.get(protocol);
  if (rows === undefined) {
    const { fields, allFields } = protocol;
    const firstWalked = fields.findIndex((field) => field.walked);
    const isRow = (field: Field) => isShared(field) && !field.walked;
    rows = {
      before: (firstWalked < 0 ? fields : fields.slice(0, firstWalked)).filter(isRow),
      walked: allFields.some((field) => isShared(field) && field.walked),
      after: firstWalked < 0 ? [] : fields.slice(firstWalked).filter(isRow),
    };
    rowsOf.set(protocol, rows);
  }
  return rows;
}

/** What Wireshark says of a packet that contradicts itself, at its end. */
const MALFORMED = 'Malformed Packet (Exception occurred)';

/** Every remark on a frame, in the order of the tree. */
function remarksOf(frame: Frame): Remark[] {
  const found: Remark[] = [];
  for (const message of frame.notes?.comments ?? []) found.push({ severity: SEVERITY.comment, group: GROUP.comment, message });
  for (const layer of frame.layers) {
    const { protocol } = layer;
    if (protocol === FrameLayer.protocol) continue;
    const { before, walked, after } = expertRows(protocol);
    for (const field of before) note(found, field, layer);
    if (walked)
      for (const node of layer.nodes) if (node.field !== undefined && isShared(node.field)) found.push(remark(node.field, layer, node));
    for (const field of after) note(found, field, layer);
  }
  if (frame.stopped?.reason === 'malformed') found.push({ severity: SEVERITY.error, group: GROUP.malformed, message: MALFORMED });
  return found;
}

function note(found: Remark[], field: Field, layer: Layer): void {
  const { gate } = field.options;
  if ((gate === undefined || gate(layer)) && field.raw(layer) !== undefined) found.push(remark(field, layer, undefined));
}

const remark = (field: Field, layer: Layer, node: TreeNode | undefined): Remark => ({
  severity: SEVERITY[field.severity!],
  group: GROUP[field.group!],
  message: field.options.message?.(layer, node) ?? node?.text ?? field.label,
});

/** Rows that Wireshark has, too; what netlens remarks beyond that goes by names of its own. */
const isShared = ({ severity, name }: Field): boolean => severity !== undefined && !name.startsWith('netlens.');

function row(type: FieldType, name: string, label: string, of: (remark: Remark) => Raw, options: FieldOptions = {}): Field {
  const field = new Field(name, label, type, options, { gather: (frame) => remarksOf(frame).map(of) });
  field.protocol = FrameLayer.protocol;
  return field;
}

/** The rows that sum up those of all layers; they stand in no table, so that no output but the one that asks has them. */
export const REMARK_ROWS = {
  severity: row('uint32', '_ws.expert.severity', 'Severity level', ({ severity }) => severity, { values: SEVERITY_NAME }),
  group: row('uint32', '_ws.expert.group', 'Group', ({ group }) => group, { values: GROUP_NAME }),
  message: row('string', '_ws.expert.message', 'Message', ({ message }) => message),
  /** Any at all. */
  any: row('none', '_ws.expert', 'Expert Info', () => true),
};

/** Remarks as the tree of Wireshark shows them: `Expert Info (Note/Sequence): …`. */
export const remarkTexts = (frame: Frame): string[] =>
  remarksOf(frame).map(({ severity, group, message }) => `Expert Info (${SEVERITY_NAME[severity]}/${GROUP_NAME[group]}): ${message}`);
