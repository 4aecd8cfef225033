/** The arguments of a Redis command: where they stand, and which of them are secrets. */
import { DOLLAR, decimal, isMapLike, KIND, Kind, lineEnd, STAR } from './resp-elements.js';

/** Most arguments that are looked at. */
export const MAX_ARGUMENTS = 1024;
export const NO_ARGUMENTS: readonly number[] = [];

/** The arguments in an array of bulk strings, or in a line; none when the octets are something else. */
export function argumentsOf(b: Uint8Array, start: number, end: number): readonly number[] {
  const line = lineEnd(b, start, end);
  if (line < 0) return NO_ARGUMENTS;
  if (b[start] === STAR) return stringsOf(b, start, line, end, 1);
  if (KIND[b[start]!] !== Kind.None) return NO_ARGUMENTS;
  const found: number[] = [];
  for (let at = start; at < line && found.length < 2 * MAX_ARGUMENTS; ) {
    while (at < line && b[at]! <= 0x20) at++;
    const from = at;
    // A quoted argument may hold spaces (RESP has no escapes that matter here).
    const quote = b[at] === 0x22 || b[at] === 0x27 ? b[at] : 0;
    if (quote) {
      at++;
      while (at < line && b[at] !== quote) at += b[at] === 0x5c ? 2 : 1;
      at = Math.min(at, line);
      found.push(from + 1, at);
      at++;
    } else {
      while (at < line && b[at]! > 0x20) at++;
      if (at > from) found.push(from, at);
    }
  }
  return found;
}

/** The names and values in turn of a reply to CONFIG GET: an array, or a map. */
export function settingsOf(b: Uint8Array, start: number, end: number): readonly number[] {
  const line = lineEnd(b, start, end);
  if (line < 0 || (b[start] !== STAR && !isMapLike(b[start]!))) return NO_ARGUMENTS;
  return stringsOf(b, start, line, end, isMapLike(b[start]!) ? 2 : 1);
}

/** The bulk strings of the aggregate at `start`, whose elements begin at `from`, so many of them for each that its header counts. */
function stringsOf(b: Uint8Array, start: number, from: number, end: number, each: number): readonly number[] {
  const found: number[] = [];
  const count = each * decimal(b, start + 1, from - 2);
  for (let i = 0, at = from; i < count && i < MAX_ARGUMENTS; i++) {
    const line = lineEnd(b, at, end);
    if (line < 0) break;
    const length = decimal(b, at + 1, line - 2);
    if (b[at] !== DOLLAR || !(length >= 0)) return NO_ARGUMENTS;
    if (line + length > end) break;
    found.push(line, line + length);
    at = line + length + 2;
  }
  return found;
}

/** Settings whose value is a password. */
const SECRET_SETTING = /^(requirepass|masterauth|tls-key-file-pass|tls-client-key-file-pass|auth-pass|sentinel-pass)$/i;

const MAY_HAVE_SECRETS = new Set(['AUTH', 'HELLO', 'MIGRATE', 'CONFIG', 'SENTINEL', 'ACL']);

/** Whether a command, its name in capitals, may have arguments that are secrets. */
export const mayHaveSecrets = (name: string): boolean => MAY_HAVE_SECRETS.has(name);

/** Which arguments of a command are secrets. `arg(i)` is text, argument 0 the name of the command. */
export function secretsOf(arg: (i: number) => string, count: number): Set<number> | undefined {
  const name = arg(0).toUpperCase();
  if (!MAY_HAVE_SECRETS.has(name)) return undefined;
  const secrets = new Set<number>();
  switch (name) {
    case 'AUTH':
      secrets.add(count > 2 ? 2 : 1);
      break;
    case 'HELLO':
      for (let i = 2; i < count; i++) if (/^auth$/i.test(arg(i))) secrets.add(i + 2);
      break;
    case 'MIGRATE':
      for (let i = 6; i < count; i++) {
        if (/^keys$/i.test(arg(i))) break;
        if (/^auth$/i.test(arg(i))) secrets.add(++i);
        else if (/^auth2$/i.test(arg(i))) secrets.add((i += 2));
      }
      break;
    case 'CONFIG':
      if (/^set$/i.test(arg(1))) for (let i = 2; i < count; i += 2) if (SECRET_SETTING.test(arg(i))) secrets.add(i + 1);
      break;
    case 'SENTINEL':
      if (/^(set|config)$/i.test(arg(1))) for (let i = 2; i < count; i++) if (SECRET_SETTING.test(arg(i))) secrets.add(i + 1);
      break;
    case 'ACL':
      // Rules that add or remove a password, as it is or hashed.
      if (/^setuser$/i.test(arg(1))) for (let i = 3; i < count; i++) if (/^[><#!]/.test(arg(i))) secrets.add(i);
      break;
    default:
      return undefined;
  }
  return secrets.size > 0 ? secrets : undefined;
}

/** What stands where a secret was. */
export const SECRET = '(secret)';

/** What a reply may tell of secrets, by the command that it answers. */
export enum Tells {
  Nothing = 0,
  /** CONFIG GET: settings by name, passwords among them. */
  Settings,
  /** ACL LIST and GETUSER: users with the hashes of their passwords. */
  Users,
  /** ACL GENPASS: a password. */
  Password,
  /** The command is not known: settings or users. */
  Anything,
}

/** A hash of SHA-256, as ACL GETUSER tells it. */
const HASH = /^[0-9a-f]{64}$/;
/** The same among the words of ACL LIST. */
const HASHES = /(?<= )#[0-9a-f]{64}(?= |$)/g;

/** What is to be shown in place of a string of a reply; undefined when it is no secret. */
export function withoutSecrets(text: string, tells: Tells): string | undefined {
  if (tells === Tells.Password || (tells === Tells.Users && HASH.test(text))) return SECRET;
  if ((tells !== Tells.Users && tells !== Tells.Anything) || !text.startsWith('user ')) return undefined;
  const masked = text.replace(HASHES, SECRET);
  return masked === text ? undefined : masked;
}

/** Which values in a reply to CONFIG GET are secrets, by their number among names and values. */
export function secretSettings(text: (i: number) => string, count: number): Set<number> | undefined {
  const secrets = new Set<number>();
  for (let i = 0; i + 1 < count; i += 2) if (SECRET_SETTING.test(text(i)) && text(i + 1) !== '') secrets.add(i + 1);
  return secrets.size > 0 ? secrets : undefined;
}
