/**
 * What happened to the primaries that Redis Sentinels watch, told from all that a capture has of it: the events that Sentinels
 * publish, the hellos that they leave on the instances, what they ask each other (is it down? whom do you vote for?), what they
 * order (REPLICAOF), and where clients are sent. What is said again and again is told once.
 * https://redis.io/docs/latest/develop/reference/sentinel-clients/, …/operate/oss_and_stack/management/sentinel/
 */
import type { RespTransaction } from './resp-transactions.js';
import { hello, type SentinelEvent } from './sentinel.js';

/** One step of the story. Addresses are written with their port, as `10.0.0.1:6379` or `[2001:db8::1]:6379`. */
export interface SentinelStep {
  readonly kind: /** Published by a Sentinel: `+sdown`, `+switch-master`, … */
    | 'event'
    /** A Sentinel says where it believes the primary to be. */
    | 'hello'
    /** A Sentinel asked another whether an instance is down. */
    | 'opinion'
    /** A Sentinel asked another for its vote. */
    | 'vote'
    /** A client asked a Sentinel where the primary is. */
    | 'asked'
    /** An instance was told whom to replicate. */
    | 'order'
    /** A replica took over the data of its primary. */
    | 'sync';
  /** Who says or does it. */
  readonly who: string;
  readonly event?: SentinelEvent;
  /** Name of the primary. */
  readonly primary?: string;
  /** Where the primary is, or the instance that it is about. */
  readonly address?: string;
  /** Whom it is said to: the Sentinel that was asked, the instance that gets an order. */
  readonly to?: string;
  /** opinion: the answer. */
  readonly down?: boolean;
  /** vote: the Sentinel that got it. */
  readonly leader?: string;
  readonly epoch?: number;
  /** sync: all of it, or only what had changed. */
  readonly full?: boolean;
}

/** What became of one primary. */
export interface SentinelPrimary {
  readonly name: string;
  /** Where it was, in order. */
  readonly places: SentinelPlace[];
  /** Epoch of the newest configuration that was told. */
  epoch: number;
  /** When it was first said to be down since the last place was known. */
  downSince: { readonly seconds: number; readonly nanoseconds: number } | undefined;
}

/** Where a primary was, and from when on that is known. */
export interface SentinelPlace {
  readonly address: string;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** How long before that the place before was first said to be down, in nanoseconds; undefined when nobody had said so. */
  readonly outage: number | undefined;
}

/** Things remembered of each kind; a capture with more tells some of them twice. */
const MOST = 10_000;

const MAKES_REPLICA = /^(SLAVEOF|REPLICAOF)$/;
/** Names that Sentinels give their connections: `sentinel-1a2b3c4d-cmd`, the beginning of their run id. */
const CONNECTION_NAME = /^sentinel-([0-9a-f]{8})-/;

/** Makes the story, from transactions in the order of time. */
export class SentinelStory {
  readonly primaries = new Map<string, SentinelPrimary>();
  /** Where a Sentinel is, by the beginning of its run id. */
  private readonly sentinels = new Map<string, string>();
  /** The Sentinel behind a TCP connection, by the beginning of its run id. */
  private readonly connections = new Map<number, string>();
  /** What was said last about something. */
  private readonly said = new Map<string, string>();
  /** On which connection, and when, a Sentinel published something last. */
  private readonly told = new Map<string, { readonly stream: number; readonly seconds: number }>();

  /** What a transaction adds to the story; undefined when that is nothing new. */
  see(t: RespTransaction): SentinelStep | undefined {
    const { event } = t;
    if (event !== undefined) return event.sentinel === undefined ? this.event(t, event) : this.hello(t, event);
    switch (t.command) {
      case 'CLIENT SETNAME': {
        const run = CONNECTION_NAME.exec(t.arguments[1] ?? '')?.[1];
        if (run !== undefined) this.remember(this.connections, t.connection.stream, run);
        return undefined;
      }
      case 'PUBLISH': {
        const told = t.arguments[0] === '__sentinel__:hello' ? hello(t.arguments[1] ?? '') : undefined;
        return told && this.hello(t, told);
      }
      case 'SENTINEL IS-MASTER-DOWN-BY-ADDR':
        return this.asksPeer(t);
      case 'SENTINEL GET-MASTER-ADDR-BY-NAME':
        return this.asksWhere(t);
      case 'PSYNC':
        return this.sync(t);
      default:
        return MAKES_REPLICA.test(t.command) ? this.order(t) : undefined;
    }
  }

  /** A Sentinel by its run id: where it is, or the id when nobody said. */
  sentinelOf(runId: string): string {
    return this.sentinels.get(runId.slice(0, 8)) ?? runId;
  }

  private event(t: RespTransaction, event: SentinelEvent): SentinelStep | undefined {
    const { primary, address, port, newAddress, newPort } = event;
    const who = endpoint(t.connection.server, t.connection.serverPort);
    // Several may have subscribed to one Sentinel.
    const about = `event ${who} ${JSON.stringify(event)}`;
    const before = this.told.get(about);
    this.remember(this.told, about, { stream: t.connection.stream, seconds: t.seconds });
    if (before !== undefined && before.stream !== t.connection.stream && t.seconds - before.seconds <= 1) return undefined;
    if (primary !== undefined && address !== undefined) {
      if (newAddress !== undefined) this.moved(t, primary, endpoint(address, port!), endpoint(newAddress, newPort!));
      else this.isAt(t, primary, endpoint(address, port!));
      if (event.event === '+sdown' && event.instance === undefined) this.isDown(t, primary);
    }
    const vote = event.event === '+vote-for-leader' ? /^([0-9a-f]{40}) (\d+)$/.exec(event.detail ?? '') : null;
    return {
      kind: 'event',
      who,
      event,
      ...(primary !== undefined && { primary }),
      ...(address !== undefined && { address: endpoint(address, port!) }),
      ...(vote !== null && { leader: this.sentinelOf(vote[1]!), epoch: Number(vote[2]) }),
    };
  }

  private hello(t: RespTransaction, event: SentinelEvent): SentinelStep | undefined {
    const { runId, address: host, port } = event.sentinel!;
    const who = endpoint(host, port);
    this.remember(this.sentinels, runId.slice(0, 8), who);
    const primary = event.primary!;
    const address = endpoint(event.address!, event.port!);
    this.isAt(t, primary, address, event.configEpoch);
    if (!this.isNews(`hello ${who} ${primary}`, address)) return undefined;
    return { kind: 'hello', who, primary, address, event, epoch: event.configEpoch! };
  }

  /** `SENTINEL is-master-down-by-addr <ip> <port> <epoch> <run id or *>`, answered with `[down, whom it votes for or *, epoch]`. */
  private asksPeer(t: RespTransaction): SentinelStep | undefined {
    const [, host, port, , runId] = t.arguments;
    const answer = t.reply?.value;
    if (runId === undefined || !Array.isArray(answer)) return undefined;
    const [down, leader, epoch] = answer as readonly unknown[];
    const who = this.clientOf(t);
    const to = endpoint(t.connection.server, t.connection.serverPort);
    const address = endpoint(host!, Number(port));
    if (runId !== '*' && typeof leader === 'string' && leader !== '*') {
      const voted = this.sentinelOf(leader);
      if (!this.isNews(`vote ${to} ${address}`, `${voted} ${String(epoch)}`)) return undefined;
      return { kind: 'vote', who, to, address, leader: voted, epoch: Number(epoch) };
    }
    if (!this.isNews(`opinion ${to} ${address}`, String(down))) return undefined;
    return { kind: 'opinion', who, to, address, down: down === 1 };
  }

  private asksWhere(t: RespTransaction): SentinelStep | undefined {
    const [host, port] = Array.isArray(t.reply?.value) ? (t.reply.value as readonly unknown[]) : [];
    const primary = t.arguments[1];
    if (primary === undefined || typeof host !== 'string') return undefined;
    const who = endpoint(t.connection.server, t.connection.serverPort);
    const address = endpoint(host, Number(port));
    if (!this.isNews(`asked ${who} ${primary}`, address)) return undefined;
    return { kind: 'asked', who, to: endpoint(t.connection.client, t.connection.clientPort), primary, address };
  }

  private order(t: RespTransaction): SentinelStep {
    const [host = '', port = ''] = t.arguments;
    const none = /^no$/i.test(host) && /^one$/i.test(port);
    const to = endpoint(t.connection.server, t.connection.serverPort);
    return { kind: 'order', who: this.clientOf(t), to, ...(!none && { address: endpoint(host, Number(port)) }) };
  }

  private sync(t: RespTransaction): SentinelStep | undefined {
    const answer = t.reply?.value;
    if (typeof answer !== 'string') return undefined;
    const full = answer.startsWith('FULLRESYNC');
    if (!full && !answer.startsWith('CONTINUE')) return undefined;
    return { kind: 'sync', who: t.connection.client, to: endpoint(t.connection.server, t.connection.serverPort), full };
  }

  /** The Sentinel that a connection comes from, or else the address. */
  private clientOf({ connection }: RespTransaction): string {
    const run = this.connections.get(connection.stream);
    return (run && this.sentinels.get(run)) ?? connection.client;
  }

  /** Somebody said where a primary is; it is believed while nobody knew, and later when the configuration is a newer one. */
  private isAt({ seconds, nanoseconds }: RespTransaction, name: string, address: string, epoch = 0): void {
    const known = this.primaries.get(name);
    if (known === undefined)
      return this.remember(this.primaries, name, {
        name,
        places: [{ address, seconds, nanoseconds, outage: undefined }],
        epoch,
        downSince: undefined,
      });
    const { places, downSince } = known;
    if (epoch <= known.epoch) return;
    known.epoch = epoch;
    if (places.at(-1)!.address === address || places.length >= MOST) return;
    const outage = downSince && (seconds - downSince.seconds) * 1e9 + nanoseconds - downSince.nanoseconds;
    places.push({ address, seconds, nanoseconds, outage });
    known.downSince = undefined;
  }

  /** +switch-master: what others say of the same switch later changes nothing. */
  private moved(t: RespTransaction, name: string, from: string, to: string): void {
    const known = this.primaries.get(name);
    if (known !== undefined && known.places.at(-1)!.address !== from) return;
    this.isAt(t, name, from);
    // Which epoch that is the next hello says, and agrees.
    this.isAt(t, name, to, this.primaries.get(name)!.epoch + 0.5);
  }

  private isDown({ seconds, nanoseconds }: RespTransaction, name: string): void {
    const primary = this.primaries.get(name);
    if (primary !== undefined) primary.downSince ??= { seconds, nanoseconds };
  }

  private isNews(about: string, what: string): boolean {
    if (this.said.get(about) === what) return false;
    this.remember(this.said, about, what);
    return true;
  }

  private remember<K, V>(map: Map<K, V>, key: K, value: V): void {
    if (map.size >= MOST && !map.has(key)) map.delete(map.keys().next().value!);
    map.set(key, value);
  }
}

const endpoint = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
