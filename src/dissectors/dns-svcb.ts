/**
 * SVCB and HTTPS records: how to reach a service, with its parameters.
 *
 * RFC 9460, RFC 9848 (ECH), RFC 9461 (dohpath).
 *
 *     0          2
 *     | priority | target name … | key | length | value … | key | length | value … | …
 */
import { bytes, ipv4, ipv6, list, many, string, uint8, uint16 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { putName } from './dns-names.js';

/** Names of parameters (RFC 9460 section 14.3.2). */
export const SERVICE_KEYS: Readonly<Record<number, string>> = {
  0: 'mandatory',
  1: 'alpn',
  2: 'no-default-alpn',
  3: 'port',
  4: 'ipv4hint',
  5: 'ech',
  6: 'ipv6hint',
  7: 'dohpath',
  8: 'ohttp',
  32769: 'odohconfig',
};

const parameterRows = {
  key: uint16('dns.svcb.svcparam.key', 'SvcParamKey', { values: SERVICE_KEYS }),
  length: uint16('dns.svcb.svcparam.value.length', 'SvcParamValue length', { unit: 'bytes' }),
  mandatory: many(uint16('dns.svcb.svcparam.mandatory.key', 'Mandatory key', { values: SERVICE_KEYS })),
  alpnLength: many(uint8('dns.svcb.svcparam.alpn.length', 'ALPN length')),
  alpn: many(string('dns.svcb.svcparam.alpn', 'ALPN')),
  port: uint16('dns.svcb.svcparam.port', 'Port'),
  ipv4: many(ipv4('dns.svcb.svcparam.ipv4hint.ip', 'IP')),
  ech: bytes('dns.svcb.svcparam.echconfig', 'ECHConfig'),
  ipv6: many(ipv6('dns.svcb.svcparam.ipv6hint.ip', 'IP')),
  odoh: bytes('dns.svcb.svcparam.odohconfig', 'ODoHConfig'),
  value: bytes('dns.svcb.svcparam.value', 'SvcParamValue'),
};

export const svcbRows = {
  svcPriority: uint16('dns.svcb.svcpriority', 'SvcPriority'),
  svcTarget: string('dns.svcb.targetname', 'TargetName'),
  svcParameters: list('dns.svcb.svcparam', 'SvcParam', parameterRows),
};

/** Record data at `start`; `tree.limit` is where it ends, names may point anywhere before `limit`. */
export function walkSvcb(tree: Tree, start: number, base: number, limit: number): void {
  if (!tree.add(svcbRows.svcPriority, start)) return;
  // Each parameter advances by at least its four octets.
  for (let at = putName(tree, svcbRows.svcTarget, start + 2, base, limit); at + 4 <= tree.limit; ) {
    const key = u16(tree.bytes, at);
    const length = u16(tree.bytes, at + 2);
    tree.item(svcbRows.svcParameters, at, 4 + length, SERVICE_KEYS[key] ?? `key${key}`);
    tree.add(parameterRows.key, at);
    tree.add(parameterRows.length, at + 2);
    walkParameter(tree, key, at + 4, Math.min(at + 4 + length, tree.limit));
    tree.close();
    at += 4 + length;
  }
}

function walkParameter(tree: Tree, key: number, start: number, end: number): void {
  switch (key) {
    case 0:
      for (let at = start; at + 2 <= end; at += 2) tree.add(parameterRows.mandatory, at, 2);
      return;
    case 1:
      for (let at = start; at < end; ) {
        const length = tree.bytes[at]!;
        tree.add(parameterRows.alpnLength, at, 1);
        tree.add(parameterRows.alpn, at + 1, length);
        at += 1 + length;
      }
      return;
    case 2:
      return;
    case 3:
      if (start + 2 <= end) tree.add(parameterRows.port, start);
      return;
    case 4:
      for (let at = start; at + 4 <= end; at += 4) tree.add(parameterRows.ipv4, at, 4);
      return;
    case 5:
      if (end > start) tree.add(parameterRows.ech, start, end - start);
      return;
    case 6:
      for (let at = start; at + 16 <= end; at += 16) tree.add(parameterRows.ipv6, at, 16);
      return;
    case 32769:
      if (end > start) tree.add(parameterRows.odoh, start, end - start);
      return;
    default:
      if (end > start) tree.add(parameterRows.value, start, end - start);
  }
}
