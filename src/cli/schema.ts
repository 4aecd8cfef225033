/** `netlens schema`: the JSON Schema of what --json prints. */
import { Command } from 'commander';
import { LAYERS } from '../dissectors/index.js';
import { frameSchema } from '../output/schema.js';
import { Sink } from './sink.js';

export function schemaCommand(): Command {
  return new Command('schema').description('print the JSON Schema of what --json prints').action(async () => {
    const sink = new Sink();
    sink.out.unicode(`${JSON.stringify(frameSchema(LAYERS.map((layer) => layer.protocol)), undefined, 1)}\n`);
    await sink.end();
  });
}
