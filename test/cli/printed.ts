/** What a command prints, as lines. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { type ExchangeKind, ExchangeLines, type Point } from '../../src/cli/exchange-lines.js';
import { type ExchangeOptions, type ExchangeReport, runExchanges } from '../../src/cli/exchanges.js';
import type { Sink } from '../../src/cli/sink.js';
import { written } from '../written.js';

const before = process.env.LC_ALL;
beforeAll(() => {
  process.env.LC_ALL = 'C.UTF-8';
});
afterAll(() => {
  if (before === undefined) delete process.env.LC_ALL;
  else process.env.LC_ALL = before;
});

export const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

/** The lines that a report prints for a capture. */
export async function printedBy(
  capture: string,
  options: Partial<ExchangeOptions>,
  report: (options: ExchangeOptions, sink: Sink) => ExchangeReport,
): Promise<string[]> {
  const all: ExchangeOptions = { sort: 'time', color: 'never', ...options };
  return (await written((sink) => runExchanges([capture], all, report(all, sink), sink))).trimEnd().split('\n');
}

/** The lines of a list of exchanges. */
export const listed = <T extends Point>(
  capture: string,
  kind: (options: ExchangeOptions) => ExchangeKind<T>,
  options: Partial<ExchangeOptions> = {},
): Promise<string[]> => printedBy(capture, options, (all, sink) => new ExchangeLines(kind(all), all, sink));

/** The records of a list of exchanges. */
export const recorded = async <T extends Point>(
  capture: string,
  kind: (options: ExchangeOptions) => ExchangeKind<T>,
  options: Partial<ExchangeOptions> = {},
): Promise<Record<string, unknown>[]> =>
  (await listed(capture, kind, { ...options, json: true })).map((line) => JSON.parse(line) as Record<string, unknown>);
