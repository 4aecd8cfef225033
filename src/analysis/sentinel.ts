/**
 * What Redis Sentinels tell each other and their subscribers: hello messages on the channel `__sentinel__:hello`, and
 * events on channels that are named like them. https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
 */
import type { RespValue } from './resp-values.js';

/** An instance as events name it: `slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379`. */
export interface SentinelInstance {
  readonly role: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface SentinelEvent {
  /** `hello`, `+switch-master`, `+sdown`, … */
  readonly event: string;
  /** Name of the primary that it is about. */
  readonly primary?: string;
  /** Where the primary is; with +switch-master where it was before. */
  readonly address?: string;
  readonly port?: number;
  /** +switch-master: where it is now. */
  readonly newAddress?: string;
  readonly newPort?: number;
  /** Whom it is about, when that is not the primary. */
  readonly instance?: SentinelInstance;
  /** hello: who says it, its run id, the epoch it knows and that of the primary's configuration. */
  readonly sentinel?: { readonly address: string; readonly port: number; readonly runId: string; readonly epoch: number };
  readonly configEpoch?: number;
  /** What else the event says, e.g. `#quorum 2/2`. */
  readonly detail?: string;
}

const CHANNEL = /^[+-][a-z-]+$/;

/** What a pushed message tells, when it is a Sentinel's. */
export function sentinelEvent(reply: RespValue): SentinelEvent | undefined {
  if (!Array.isArray(reply.value)) return undefined;
  const words = reply.value as readonly unknown[];
  const kind = words[0];
  if (kind !== 'message' && kind !== 'pmessage') return undefined;
  const [channel, text] = words.slice(kind === 'message' ? 1 : 2);
  if (typeof channel !== 'string' || typeof text !== 'string') return undefined;
  if (channel === '__sentinel__:hello') return hello(text);
  return CHANNEL.test(channel) ? event(channel, text) : undefined;
}

/** `127.0.0.1,26381,<run id>,0,mymaster,127.0.0.1,6381,0` */
export function hello(text: string): SentinelEvent | undefined {
  const parts = text.split(',');
  if (parts.length !== 8) return undefined;
  const [from, fromPort, runId, epoch, primary, address, port, configEpoch] = parts as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    event: 'hello',
    primary,
    address,
    port: Number(port),
    sentinel: { address: from, port: Number(fromPort), runId, epoch: Number(epoch) },
    configEpoch: Number(configEpoch),
  };
}

function event(name: string, text: string): SentinelEvent | undefined {
  const words = text.split(' ');
  if (name === '+switch-master') {
    const [primary, address, port, newAddress, newPort] = words;
    if (newPort === undefined) return undefined;
    return { event: name, primary: primary!, address: address!, port: Number(port), newAddress: newAddress!, newPort: Number(newPort) };
  }
  const [role, who, address, port] = words;
  if (port === undefined || !/^\d+$/.test(port)) {
    return /^(\+new-epoch|\+vote-for-leader|\+tilt|-tilt|\+config-update-from)$/.test(name) ? { event: name, detail: text } : undefined;
  }
  const of = words[4] === '@' ? words.slice(5) : undefined;
  const detail = words.slice(of === undefined ? 4 : 8).join(' ');
  return {
    event: name,
    ...(of === undefined
      ? { primary: who!, address: address!, port: Number(port) }
      : {
          primary: of[0]!,
          address: of[1]!,
          port: Number(of[2]),
          instance: { role: role!, name: who!, address: address!, port: Number(port) },
        }),
    ...(detail !== '' && { detail }),
  };
}
