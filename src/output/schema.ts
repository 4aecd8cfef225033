/** The JSON Schema of what `--json` prints, made from the tables that print it. */
import type { Field, FieldType } from '../core/field.js';
import type { Protocol } from '../core/layer.js';
import { type JsonNode, layoutOf } from './json-layout.js';

/** A JSON Schema or a part of one. */
export type Schema = { readonly [key: string]: unknown };

const INTEGER = { type: 'integer' };
const HEX = { type: 'string', pattern: '^([0-9a-f]{2})*$' };

const BY_TYPE: Readonly<Record<FieldType, Schema>> = {
  uint8: INTEGER,
  uint16: INTEGER,
  uint24: INTEGER,
  uint32: INTEGER,
  uint48: INTEGER,
  uint64: { type: ['integer', 'string'] },
  int8: INTEGER,
  int16: INTEGER,
  int32: INTEGER,
  int64: { type: ['integer', 'string'] },
  double: { type: ['number', 'string'] },
  bool: { type: 'boolean' },
  none: { type: 'boolean' },
  bytes: HEX,
  string: { type: 'string' },
  ipv4: { type: 'string', format: 'ipv4' },
  ipv6: { type: 'string', format: 'ipv6' },
  ether: { type: 'string', pattern: '^[0-9a-f]{2}(:[0-9a-f]{2})*$' },
  eui64: { type: 'string' },
  guid: { type: 'string' },
  time: { type: 'string', format: 'date-time' },
  duration: { type: ['number', 'string'], description: 'seconds' },
  frame: INTEGER,
  list: { type: 'object' },
};

/** The schema of one line of `netlens read --json`. */
export function frameSchema(protocols: readonly Protocol[]): Schema {
  const properties: Record<string, Schema> = {};
  const patterns: Record<string, Schema> = {};
  for (const protocol of protocols) {
    const name = protocol.name;
    properties[name] = { $ref: `#/$defs/${name}` };
    // A protocol that occurs again in a frame: ip#2.
    patterns[`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}#[0-9]+$`] = { $ref: `#/$defs/${name}` };
  }
  const definitions: Record<string, Schema> = {};
  for (const protocol of protocols)
    definitions[protocol.name] = objectOf(layoutOf(protocol, true).nodes, protocol.label, protocol.name === 'frame');
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A frame, as `netlens read --json` prints it',
    type: 'object',
    required: ['frame'],
    properties,
    patternProperties: patterns,
    additionalProperties: false,
    $defs: definitions,
  };
}

function objectOf(nodes: readonly JsonNode[], title: string | undefined, isFrame = false): Schema {
  const properties: Record<string, Schema> = {};
  for (const node of nodes) {
    properties[node.name] = schemaOf(node);
  }
  properties.expert = { type: 'array', items: { type: 'string' }, description: 'Remarks that apply, by name' };
  if (isFrame) properties.info = { type: 'string', description: 'What the Info column says' };
  return {
    ...(title !== undefined && { title }),
    type: 'object',
    properties,
    // A field that a protocol knows once and a packet has twice: name#2.
    patternProperties: { '#[0-9]+$': true },
    additionalProperties: false,
  };
}

function schemaOf(node: JsonNode): Schema {
  const { row, children, item } = node;
  const own = row && valueSchema(row, item);
  if (children.length === 0) return own ?? {};
  const below = objectOf(children, row?.label) as { properties: Record<string, Schema> };
  if (!own || row.type === 'none') return below;
  below.properties[row.type === 'list' ? 'list' : 'value'] = own;
  // What only repeats stands below it with -x alone; without that, nothing does.
  return children.every(isQuiet) ? { anyOf: [own, below] } : below;
}

const isQuiet = ({ row, children }: JsonNode): boolean => row?.options.quiet === true && children.every(isQuiet);

function valueSchema(row: Field, item: readonly JsonNode[]): Schema {
  const description = `${row.label} (${row.name})`;
  const one = row.type === 'list' ? objectOf(item, undefined) : BY_TYPE[row.type];
  return row.many ? { type: 'array', items: one, description } : { ...one, description };
}
