/** The built program as a shell runs it: exit status, messages, pipes, formats, terminals. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, it } from 'vitest';
import { hex } from '../packets.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'dist/netlens.js');
const fixture = (name: string): string => join(root, 'fixtures', name);
const captures = readdirSync(join(root, 'fixtures')).filter((name) => /\.pcap(ng)?$/.test(name));
const folder = mkdtempSync(join(tmpdir(), 'netlens-program-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly said: string;
}

const PLAIN = { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C.UTF-8' };

function netlens(args: readonly string[], { env = {}, input }: { env?: NodeJS.ProcessEnv; input?: Uint8Array } = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env: { ...PLAIN, ...env },
    ...(input && { input }),
    maxBuffer: 2 ** 28,
  });
  return { status, out: stdout.toString(), said: stderr.toString() };
}
const lines = (text: string): string[] => text.trimEnd().split('\n');

/** A shell's pipeline, with `netlens` in it; the status of each part. */
function shell(command: string): { statuses: number[]; out: string; said: string } {
  const script = `netlens() { '${process.execPath}' '${program}' "$@"; }\n${command}\necho "\${PIPESTATUS[@]}" >&3`;
  const { stdout, stderr, output } = spawnSync('bash', ['-c', script], {
    env: PLAIN,
    cwd: join(root, 'fixtures'),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  return { out: stdout, said: stderr, statuses: output[3]!.trim().split(' ').map(Number) };
}

/** A microsecond pcap of Ethernet frames. */
function pcapOf(...frames: Uint8Array[]): Uint8Array {
  const header = hex('d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000');
  const records = frames.map((frame) => {
    const record = new Uint8Array(16 + frame.length);
    const view = new DataView(record.buffer);
    view.setUint32(8, frame.length, true);
    view.setUint32(12, frame.length, true);
    record.set(frame, 16);
    return record;
  });
  return Buffer.concat([header, ...records]);
}

describe('exit status and messages', () => {
  it('is 0 for a whole capture, and nothing is said', () => {
    const run = netlens(['read', fixture('arp.pcap')]);
    expect([run.status, run.said]).toEqual([0, '']);
    expect(lines(run.out)).toHaveLength(8);
  });

  it.each([
    [['bogus'], "unknown command 'bogus'"],
    [['read'], "missing required argument 'files'"],
    [['read', fixture('arp.pcap'), '-c', '0'], 'A whole number from 1 is needed'],
    [['read', fixture('arp.pcap'), '--colour', 'never'], "unknown option '--colour'"],
    [['read', fixture('arp.pcap'), '-T', 'xml'], '-T xml: text, tree, json, fields or csv expected'],
    [['read', fixture('arp.pcap'), '-T', 'fields'], '-T fields needs fields: add -e NAME'],
    [['read', fixture('arp.pcap'), '-e', 'arp.opcod'], 'no field arp.opcod; did you mean arp.opcode?'],
    [['read', fixture('arp.pcap'), '-e', 'arp.opcode', '-E', 'colour=y'], '-E colour=y: header, separator'],
    [['read', fixture('arp.pcap'), '-Y', 'arp.opcode = 1'], 'column 12: = means nothing here; to compare, write =='],
    [['read', fixture('arp.pcap'), '-d', 'tcp.port=1,resp'], '-d tcp.port=1,resp: TABLE==NUMBER,PROTOCOL expected'],
    [['read', 'nope.pcap'], 'nope.pcap: no such file'],
    [['read', root], 'directory'],
    [['read', join(root, 'README.md')], 'not a capture: pcap, pcapng or snoop expected at octet 0, found 23 20'],
    [['read', fixture('arp.pcap'), '-w', fixture('arp.pcap')], 'arp.pcap'],
    [['live'], 'which interface? `netlens interfaces` lists them'],
  ] as const)('is 2 for %j', (args, message) => {
    const before = readFileSync(fixture('arp.pcap'));
    const run = netlens(args);
    expect(run.said).toContain(message);
    expect([run.status, run.out]).toEqual([2, '']);
    expect(run.said).not.toMatch(/\n +at /);
    expect(readFileSync(fixture('arp.pcap')).equals(before)).toBe(true);
  });

  it('is 3 for a capture that ends in mid-record, after every whole frame', () => {
    const cut = join(folder, 'cut.pcap');
    writeFileSync(cut, readFileSync(fixture('redis.pcap')).subarray(0, 1000));
    const run = netlens(['read', cut]);
    expect(run.status).toBe(3);
    expect(lines(run.out)).toHaveLength(11);
    expect(run.said).toBe(
      `netlens: ${cut}: ends in the middle of record 12 at octet 989: 11 octets of 16 are there (11 whole frames before it)\n`,
    );
  });

  it('is 4 without the interface or the permission, with the command that helps', () => {
    const run = netlens(['live', 'nope0']);
    expect(run.status).toBe(4);
    expect(run.said).toMatch(/^netlens: nope0: (no such interface; there are |.*sudo netlens live nope0)/);
    expect(run.said.trimEnd().split('\n')).toHaveLength(1);
  });

  it('is 0 for help and version', () => {
    expect(netlens(['--help'])).toMatchObject({ status: 0, said: '' });
    expect(netlens(['read', '--help'])).toMatchObject({ status: 0, said: '' });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(netlens(['--version'])).toEqual({ status: 0, said: '', out: `${version}\n` });
  });

  it('loads nothing of the commands to tell its version', () => {
    const loaded = new Set<string>();
    const load = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      for (const [, from] of readFileSync(path, 'utf8').matchAll(/^(?:import|export) ?(?:[^"';]*? from )?"(\.[^"]+)";$/gm))
        load(join(path, '..', from!));
    };
    load(program);
    expect([...loaded].reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(16 * 1024);
  });

  it.each([
    ['there is none', (_cache: string) => {}],
    ['another version of V8 made it', (cache: string) => writeFileSync(cache, new Uint8Array(1000))],
  ])('starts without what V8 kept of the program: %s', (_why, keep) => {
    const own = mkdtempSync(join(folder, 'dist-'));
    cpSync(join(root, 'dist'), own, { recursive: true, filter: (path) => !path.endsWith('.cache') });
    symlinkSync(join(root, 'package.json'), join(own, 'package.json'));
    keep(join(own, 'netlens.cjs.cache'));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(own, 'netlens.js'), 'read', fixture('arp.pcap')], { env: PLAIN });
    expect({ status, out: stdout.toString(), said: stderr.toString() }).toEqual(netlens(['read', fixture('arp.pcap')]));
  });

  it('tells its version about as fast as Node starts', () => {
    // Processor time, which others on the machine hardly change; of several runs in turn the least.
    const spent = (args: string[]): number => {
      const { stderr } = spawnSync('bash', ['-c', 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null', 'bash', process.execPath, ...args], {
        env: PLAIN,
      });
      return stderr
        .toString()
        .trim()
        .split(' ')
        .reduce((sum, seconds) => sum + Number(seconds), 0);
    };
    const [node, netlens]: [number[], number[]] = [[], []];
    for (let i = 0; i < 10; i++) {
      node.push(spent(['-e', '0']));
      netlens.push(spent([program, '--version']));
    }
    // Loading more than the options takes a tenth of a second; ten milliseconds are the machine's.
    expect(Math.min(...netlens)).toBeLessThan(1.45 * Math.min(...node) + 0.01);
  });
});

describe('pipes and files', () => {
  it.each([
    ['', '1  0.000000  02:00:00:00:02:01'],
    ['--json', '{"frame":{"number":1,'],
  ])('shows what has come while more is awaited: read %s', (option, begin) => {
    const more = join(folder, `more${option}`);
    // The input ends only when its first line was read.
    const { out } = shell(
      `mkfifo ${more}; (cat arp.pcap; cat ${more}) | netlens read - ${option} | (read -r -t 20 line; echo "$line"; : > ${more}; wc -l)`,
    );
    const [first, others] = lines(out);
    expect(first!.slice(0, begin.length)).toBe(begin);
    expect(Number(others)).toBe(7);
  });

  it.runIf(process.platform === 'linux').each(['', '--json', '-V'])(
    'leaves a pipe as it was, which others write to, too: read %s',
    (option) => {
      const atEnd = "process.on('exit', () => console.error(require('fs').readFileSync('/proc/self/fdinfo/1', 'utf8')))";
      writeFileSync(join(folder, 'flags.cjs'), atEnd);
      const { said } = shell(`NODE_OPTIONS='--require ${join(folder, 'flags.cjs')}' netlens read redis.pcap ${option} | cat`);
      // O_NONBLOCK is not among the flags.
      expect(Number.parseInt(said.match(/^flags:\s*(\d+)$/m)![1]!, 8) & 0o4000).toBe(0);
    },
  );

  it('ends quietly when the reader goes away', () => {
    expect(shell('netlens read redis.pcap redis.pcap redis.pcap -V | head -n 1')).toEqual({
      statuses: [0, 0],
      said: '',
      out: expect.stringMatching(/^.+\n$/),
    });
  });

  it('reads standard input, and several files one after the other', () => {
    const whole = netlens(['read', fixture('arp.pcap')]).out;
    expect(netlens(['read', '-'], { input: readFileSync(fixture('arp.pcap')) })).toEqual({ status: 0, said: '', out: whole });
    const numbers = lines(netlens(['read', fixture('arp.pcap'), fixture('dns.pcap'), '-e', 'frame.number']).out).map(Number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBe(8 + lines(netlens(['read', fixture('dns.pcap')]).out).length);
  });

  it.each(['copy.pcap', 'copy.pcapng'])('writes %s so that it reads the same', (name) => {
    const copy = join(folder, name);
    expect(netlens(['read', fixture('http.pcap'), '-w', copy])).toEqual({ status: 0, said: '', out: '' });
    const columns = ['frame.time_epoch', 'frame.len', 'frame.cap_len', '_ws.col.Info'].flatMap((field) => ['-e', field]);
    expect(netlens(['read', copy, ...columns]).out).toBe(netlens(['read', fixture('http.pcap'), ...columns]).out);
    // What a pcapng says of its interface beyond a pcap is all that the second copy of a copy may differ in: nothing.
    const again = join(folder, `again-${name}`);
    netlens(['read', copy, '-w', again]);
    expect(readFileSync(again).equals(readFileSync(copy))).toBe(true);
  });

  it('leaves IP fragments apart where that is asked for', () => {
    const shown = (...more: string[]) =>
      lines(netlens(['read', fixture('fragments.pcap'), '-c', '3', '-T', 'fields', '-e', 'icmp.seq', '-e', 'frame.number', ...more]).out);
    expect(shown()).toEqual(['\t1', '\t2', '1\t3']);
    expect(shown('--no-defragment')).toEqual(['1\t1', '\t2', '\t3']);
  });

  it('writes what a filter selected to standard output, and nothing else', () => {
    const { out, statuses } = shell(
      "netlens read dns.pcap -Y 'udp && dns.flags.response == 1' -w - | netlens read - -e dns.flags.response",
    );
    expect(statuses).toEqual([0, 0]);
    expect(new Set(lines(out))).toEqual(new Set(['1']));
    expect(lines(out).length).toBeGreaterThan(10);
  });
});

describe('formats', () => {
  const columns = ['-e', 'frame.number', '-e', 'dns.qry.name', '-e', 'dns.a'];
  const dns = fixture('dns.pcap');

  it('prints fields as tshark does, with header, separator, quotes, and one or all of several values', () => {
    expect(netlens(['read', dns, '-c', '2', '-T', 'fields', ...columns]).out).toBe(
      '1\twww.example.test\t\n2\twww.example.test\t192.0.2.8,192.0.2.7\n',
    );
    const set = ['header=y', 'separator=;', 'quote=s', 'aggregator=/s', 'occurrence=a'].flatMap((one) => ['-E', one]);
    expect(netlens(['read', dns, '-c', '2', '-T', 'fields', ...columns, ...set]).out).toBe(
      "'frame.number';'dns.qry.name';'dns.a'\n'1';'www.example.test';\n'2';'www.example.test';'192.0.2.8 192.0.2.7'\n",
    );
    const one = (which: string): string => netlens(['read', dns, '-Y', 'dns.a', '-c', '1', '-e', 'dns.a', '-E', `occurrence=${which}`]).out;
    expect([one('f'), one('l')]).toEqual(['192.0.2.8\n', '192.0.2.7\n']);
    expect(netlens(['read', dns, '-c', '1', ...columns, '-E', 'separator=/s']).out).toBe('1 www.example.test \n');
  });

  it('prints CSV', () => {
    expect(netlens(['read', dns, '-c', '2', '-T', 'csv', ...columns]).out).toBe(
      '"frame.number","dns.qry.name","dns.a"\n"1","www.example.test",\n"2","www.example.test","192.0.2.8,192.0.2.7"\n',
    );
  });

  it('prints JSON that its schema describes, for every fixture', { timeout: 120_000 }, () => {
    const ajv = new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      formats: { ipv4: isIPv4, ipv6: isIPv6, 'date-time': (text: string) => /Z$/.test(text) && !Number.isNaN(Date.parse(text)) },
    });
    const validate = ajv.compile(JSON.parse(netlens(['schema']).out) as object);
    const wrong: string[] = [];
    for (const octets of [[], ['-x']])
      for (const line of lines(netlens(['read', ...captures.map(fixture), '--json', ...octets]).out)) {
        const frame: unknown = JSON.parse(line);
        if (!validate(frame)) wrong.push(`${ajv.errorsText(validate.errors)} in ${line.slice(0, 200)}`);
      }
    expect(wrong).toEqual([]);
    // The schema is strict: it would notice.
    expect(validate({ frame: { number: 'one' } })).toBe(false);
    expect(validate({ frame: { number: 1 }, surprise: {} })).toBe(false);
  });
});

describe('colour and width', () => {
  it('has colours where they are asked for: the option first, then NO_COLOR, then FORCE_COLOR', () => {
    const isColoured = (args: string[], env: NodeJS.ProcessEnv): boolean =>
      netlens(['read', fixture('arp.pcap'), ...args], { env }).out.includes('\x1b[');
    expect(isColoured([], {})).toBe(false);
    expect(isColoured([], { FORCE_COLOR: '1' })).toBe(true);
    expect(isColoured([], { FORCE_COLOR: '0' })).toBe(false);
    expect(isColoured([], { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
    expect(isColoured(['--color', 'always'], { NO_COLOR: '1' })).toBe(true);
    expect(isColoured(['--color', 'never'], { FORCE_COLOR: '1' })).toBe(false);
  });

  // script(1) gives the program a terminal of its own.
  const hasTerminal = spawnSync('script', ['--version']).error === undefined;
  const onTerminal = (columns: number, args: string): string =>
    execFileSync('script', ['-qec', `stty cols ${columns} rows 24; '${process.execPath}' '${program}' ${args}`, '/dev/null'], {
      env: { ...PLAIN, TERM: 'xterm-256color' },
      input: '',
      maxBuffer: 2 ** 28,
    })
      .toString()
      .replaceAll('\r\n', '\n');

  it.skipIf(!hasTerminal)('keeps every line within 80 columns of a terminal', () => {
    const files = captures.map(fixture);
    const shown = onTerminal(80, `read ${files.map((file) => `'${file}'`).join(' ')}`);
    expect(shown).toContain('\x1b[');
    const plain = lines(shown.replace(/\x1b\[[\d;]*m/g, ''));
    expect(plain.length).toBe(lines(netlens(['read', ...files]).out).length);
    expect(plain.filter((line) => [...line].length > 80)).toEqual([]);
  });

  it.skipIf(!hasTerminal)('shows no colours where NO_COLOR asks for none, and no sign beyond ASCII in a C locale', () => {
    const shown = onTerminal(80, `read '${fixture('arp.pcap')}' --color never`);
    expect(shown).not.toContain('\x1b');
    for (const tree of [[], ['-V']])
      expect(netlens(['read', fixture('http.pcap'), ...tree], { env: { LC_ALL: 'C' } }).out).toMatch(/^[\x20-\x7e\n]*$/);
  });
});

describe('what comes from the wire', () => {
  const ETH = '020000000002 020000000001 0800';
  const name = '05 1b5d303b78 04 74657374 00'; // ESC ]0;x . test
  const dnsMessage = hex(
    `${ETH} 45 00 003a 0001 0000 40 11 0000 c0000201 c0000202 | c000 0035 0026 0000 | 0001 0100 0001 0000 0000 0000 ${name} 0001 0001`,
  );
  // SET k "ESC [2J BEL CSI(C1, UTF-8) override(U+202E)"
  const value = '1b5b324a07c29b32e280ae';
  const resp = `2a330d0a 24330d0a 5345540d0a 24310d0a 6b0d0a 2431310d0a ${value} 0d0a`;
  const respSegment = hex(
    `${ETH} 45 00 004e 0001 0000 40 06 0000 c0000201 c0000202 | c000 18eb 00000001 00000001 50 18 ffff 0000 0000 | ${resp}`,
  );
  const capture = join(folder, 'hostile.pcap');
  writeFileSync(capture, pcapOf(dnsMessage, respSegment));

  it.each([
    ['a line'],
    ['the tree', '-V'],
    ['octets', '-x'],
    ['JSON', '--json'],
    ['fields', '-e', 'dns.qry.name', '-e', 'resp.bulk_string.value', '-e', '_ws.col.Info'],
    ['CSV', '-T', 'csv', '-e', 'dns.qry.name', '-e', '_ws.col.Info'],
  ])('cannot steer a terminal through %s', (_what, ...args) => {
    const run = netlens(['read', capture, ...args]);
    expect([run.status, run.said]).toEqual([0, '']);
    // Of all controls, tabs between columns and line ends are ours.
    expect(run.out.replace(/[\n\t]/g, '')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
    expect(run.out.length).toBeGreaterThan(10);
  });

  it('is there all the same, spelled out', () => {
    const [query, command] = lines(netlens(['read', capture]).out);
    expect(query).toContain('\\033]0;x.test');
    expect(command).toContain('SET k');
    expect(command).toContain('\\x1b[2J');
  });

  it('cannot steer it through messages either', () => {
    const run = netlens(['read', join(folder, 'no\x1b[2Jsuch')]);
    expect(run.status).toBe(2);
    expect(run.said).toContain('\\x1b[2J');
    expect(run.said).not.toContain('\x1b');
  });
});
