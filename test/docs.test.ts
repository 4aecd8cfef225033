/** What the pages say is so: screens, commands, jq programs, code. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (name: string): string => readFileSync(`${root}${name}`, 'utf8');
const examples = (kind: string): string[] =>
  [...text('docs/json.md').matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))].flatMap(([, block]) =>
    block!.trimEnd().split('\n'),
  );
const netlens = (...args: string[]): string =>
  execFileSync(process.execPath, ['dist/netlens.js', ...args], { cwd: root, env: { ...process.env, LC_ALL: 'C.UTF-8' }, encoding: 'utf8' });

describe('README.md', () => {
  const readme = text('README.md');
  const screens = [...readme.matchAll(/^ {4}\$ netlens (.+)\n((?: {4}(?!\$).*\n)*)/gm)].map(
    ([, command, shown]) => [command!, shown!] as const,
  );

  it.each(screens)('shows what netlens %s prints', (command, shown) => {
    const args = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
    const trimmed = (lines: string): string => lines.replace(/ +$/gm, '').trim();
    expect(trimmed(shown.replace(/^ {4}/gm, ''))).toBe(trimmed(netlens(...args)));
  });

  it('names every command', () => {
    expect(screens.length).toBeGreaterThan(1);
    const commands = [...netlens('--help').matchAll(/^ {2}([a-z]+) (?:\[|<| )/gm)]
      .map(([, name]) => name!)
      .filter((name) => name !== 'help');
    expect(commands).toContain('read');
    expect(commands.filter((name) => !readme.includes(`\`netlens ${name}`))).toEqual([]);
  });
});

it('CONTRIBUTING.md quotes src/dissectors/arp.ts as it is', () => {
  const source = text('src/dissectors/arp.ts');
  const page = text('CONTRIBUTING.md').split('## A new protocol')[1]!.split('**7.')[0]!;
  const quoted = [...page.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line!.trim()).filter((line) => line !== '…');
  expect(quoted.length).toBeGreaterThan(15);
  // An ellipsis stands for what was left out of a line.
  const isThere = (line: string): boolean => line.split('…').every((part) => source.includes(part.trim()));
  expect(quoted.filter((line) => !isThere(line))).toEqual([]);
});

const hasJq = spawnSync('jq', ['--version']).error === undefined;

describe.skipIf(!hasJq)('docs/json.md', () => {
  const captures = readdirSync(`${root}fixtures`).filter((name) => /\.pcap(ng)?$/.test(name));
  const json = execFileSync(process.execPath, ['dist/netlens.js', 'read', '--json', ...captures.map((name) => `fixtures/${name}`)], {
    cwd: root,
    maxBuffer: 2 ** 28,
  });
  const jq = (program: string, ...options: string[]): string =>
    execFileSync('jq', ['-c', ...options, program], { input: json, maxBuffer: 2 ** 28, encoding: 'utf8' }).trim();

  it.each(examples('jq'))('%s', (program) => expect(jq(program)).not.toMatch(/^(null|\[\]|)(\n(null|\[\]))*$/));
  it.each(examples('jq-n'))('-n %s', (program) => expect(jq(program, '-n')).not.toMatch(/^(|null|0|\[\]|\{\})$/));
  it('has them', () => expect(examples('jq').length + examples('jq-n').length).toBeGreaterThan(10));

  it('says truly how JSON is laid out', () => {
    // Nothing absent is null, layers are objects, and what repeats has a number.
    expect(jq('[inputs | .. | nulls] | length', '-n')).toBe('0');
    expect(jq('[inputs | .[] | type] | unique', '-n')).toBe('["object"]');
    expect(jq('[inputs | keys_unsorted[0]] | unique', '-n')).toBe('["frame"]');
  });
});
