/** `netlens fields`: every field that netlens knows. */
import { Command } from 'commander';
import type { Field } from '../core/field.js';
import { FIELDS, LAYERS } from '../dissectors/index.js';
import { jsonPaths } from '../output/json-layout.js';
import { Sink } from './sink.js';
import { say } from './terminal.js';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly json: string;
}

export function fieldsCommand(): Command {
  return new Command('fields')
    .description('list the fields that filters, -e and JSON know')
    .argument('[pattern]', 'only fields whose name or label contains this (case does not matter; * stands for anything)')
    .option('--json', 'one JSON object a line')
    .action(async (pattern: string | undefined, options: { json?: boolean }) => {
      const rows = fieldRows(pattern);
      const sink = new Sink();
      if (options.json) for (const row of rows) sink.record(row);
      else {
        const wide = (key: keyof Row) => rows.reduce((most, row) => Math.max(most, row[key].length), 0);
        const [name, type, label] = [wide('name'), wide('type'), wide('label')];
        for (const row of rows)
          sink.out.unicode(`${row.name.padEnd(name)}  ${row.type.padEnd(type)}  ${row.label.padEnd(label)}  ${row.json}\n`);
      }
      await sink.end();
      if (rows.length === 0) {
        say(`no field's name or label contains ${pattern}`);
        process.exitCode = 1;
      }
    });
}

/** The fields that match, by name; names that stand for several fields are told as such. */
function fieldRows(pattern: string | undefined): Row[] {
  const paths = new Map<Field, string>(LAYERS.flatMap(({ protocol }) => [...jsonPaths(protocol)]));
  const matches = matcher(pattern);
  const rows: Row[] = [];
  for (const [name, fields] of FIELDS) {
    const [field] = fields;
    if (!field) continue;
    const own = field.name === name;
    const label = own ? field.label : `any of ${fields.map((f) => f.name).join(', ')}`;
    if (matches(name) || matches(label)) rows.push({ name, type: field.type, label, json: own ? (paths.get(field) ?? '') : '' });
  }
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function matcher(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true;
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(escaped.join('.*'), 'i');
  return (text) => expression.test(text);
}
