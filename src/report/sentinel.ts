/** The story that Redis Sentinels tell, for people and programs: a row a step, and what became of each primary. */
import type { RespTransaction } from '../analysis/resp-transactions.js';
import type { SentinelEvent, SentinelInstance } from '../analysis/sentinel.js';
import type { SentinelPrimary, SentinelStep } from '../analysis/sentinel-story.js';
import { safeText } from '../core/text.js';
import { durationText, isoText } from '../core/time.js';
import type { Tone } from '../output/theme.js';
import type { Cell } from './rolling-table.js';
import { endpoint, inSeconds, relativeTime, type Signs, type Start, UNICODE_SIGNS, withoutMu } from './signs.js';

export const SENTINEL_HEADINGS = ['time', 'who', 'step', 'what it says'] as const;
export const SENTINEL_RIGHT: ReadonlySet<number> = new Set([0]);

/** The row of a step; `start` is the time of the first frame. */
export function sentinelRow(t: RespTransaction, step: SentinelStep, start: Start, signs: Signs = UNICODE_SIGNS): Cell[] {
  const { kind, event } = step;
  const name = { text: kind === 'event' ? event!.event : STEP[kind], tone: toneOf(step) };
  return [
    { text: relativeTime(t, start), tone: 'name' },
    { text: safeText(step.who), tone: 'client' },
    name,
    safeText(textOf(step, signs)),
  ];
}

const STEP = { hello: 'hello', opinion: 'opinion', vote: 'vote', asked: 'asked', order: 'order', sync: 'sync' } as const;

/** What changes who is the primary stands out. */
function toneOf({ kind, event }: SentinelStep): Tone {
  if (kind === 'order') return 'trouble';
  if (kind !== 'event') return 'name';
  return /^\+(switch-master|sdown|odown)$|^-failover/.test(event!.event) ? 'trouble' : 'note';
}

/** What a step means, in a sentence without its subject. */
function textOf(step: SentinelStep, signs: Signs): string {
  const { kind, primary, address, to, leader, epoch } = step;
  switch (kind) {
    case 'hello':
      return `believes that ${primary} is ${address} (epoch ${epoch})`;
    case 'opinion':
      return `asks ${to}: it takes ${address} ${step.down ? 'for down, too' : 'for alive'}`;
    case 'vote':
      return `asks ${to} for its vote: it goes to ${leader} (epoch ${epoch})`;
    case 'asked':
      return `tells ${to} that ${primary} is ${address}`;
    case 'order':
      return address === undefined ? `makes ${to} a primary` : `makes ${to} a replica of ${address}`;
    case 'sync':
      return `replicates ${to}, ${step.full ? 'all of it anew' : 'what it had not yet'}`;
    default:
      return eventMeaning(step, signs);
  }
}

/** What the events mean that have no words of their own; `it` is whom the event is about. */
const MEANING: Readonly<Record<string, (it: string, primary: string) => string>> = {
  '+sdown': (it) => `takes ${it} for down`,
  '-sdown': (it) => `hears from ${it} again`,
  '+odown': (it) => `takes ${it} for down, and enough others do`,
  '-odown': (it) => `${it}: no longer enough take it for down`,
  '+try-failover': (it) => `wants to lead the failover of ${it}`,
  '+elected-leader': (it) => `was elected to lead the failover of ${it}`,
  '-failover-abort-not-elected': (it) => `was not elected: no failover of ${it}`,
  '-failover-abort-no-good-slave': (it) => `no replica of ${it} is good enough`,
  '+failover-state-select-slave': (it) => `looks for the best replica of ${it}`,
  '+selected-slave': (it) => `chose ${it}`,
  '+failover-state-send-slaveof-noone': (it) => `will make ${it} a primary`,
  '+failover-state-wait-promotion': (it) => `waits until ${it} says that it is a primary`,
  '+promoted-slave': (it) => `${it} is a primary now`,
  '+failover-state-reconf-slaves': (_, primary) => `turns the other replicas of ${primary} to the new primary`,
  '+slave-reconf-sent': (it) => `told ${it} whom to replicate`,
  '+slave-reconf-inprog': (it) => `${it} has begun to replicate the new primary`,
  '+slave-reconf-done': (it) => `${it} replicates the new primary`,
  '+failover-end': (it) => `the failover of ${it} is done`,
  '+failover-end-for-timeout': (it) => `the failover of ${it} took too long and ends as it is`,
  '+slave': (it) => `knows of ${it}`,
  '+sentinel': (it) => `knows of ${it}`,
  '+monitor': (it) => `watches ${it}`,
  '+reboot': (it) => `${it} was started anew`,
  '+convert-to-slave': (it) => `makes ${it} a replica again`,
  '+fix-slave-config': (it) => `puts right whom ${it} replicates`,
  '+config-update-from': (it) => `learns the new configuration from ${it}`,
  '+role-change': (it) => `${it} says what it should be`,
  '-role-change': (it) => `${it} says that it is something else`,
};

function eventMeaning({ event, primary, address, leader, epoch }: SentinelStep, signs: Signs): string {
  const { event: name, detail, newAddress, newPort, instance } = event as SentinelEvent;
  if (newAddress !== undefined) return `${primary}: ${address} ${signs.arrow} ${endpoint(newAddress, newPort!)}`;
  if (leader !== undefined) return `votes for ${leader} (epoch ${epoch})`;
  if (name === '+new-epoch') return `epoch ${detail}`;
  const of = instance && ROLE[instance.role];
  const it = instance === undefined ? (primary === undefined ? '' : `${primary} at ${address}`) : instanceText(instance, primary!, of);
  const said = MEANING[name]?.(it, primary ?? '') ?? it;
  return detail === undefined ? said : said === '' ? detail : `${said} (${detail.replace(/^#/, '')})`;
}

const ROLE: Readonly<Record<string, string>> = { slave: 'replica', sentinel: 'Sentinel', master: 'primary' };

const instanceText = ({ role, address, port }: SentinelInstance, primary: string, of = role): string =>
  `${of} ${endpoint(address, port)} of ${primary}`;

/** A step as a JSON record. */
export function sentinelRecord(t: RespTransaction, step: SentinelStep): object {
  const { kind, event, who, primary, address, to, down, leader, epoch, full } = step;
  const newAddress = event?.newAddress === undefined ? undefined : endpoint(event.newAddress, event.newPort!);
  const { instance } = event ?? {};
  return {
    type: 'redis_sentinel',
    time: isoText(t.seconds, t.nanoseconds),
    time_epoch: `${t.seconds}.${String(t.nanoseconds).padStart(9, '0')}`,
    stream: t.connection.stream,
    frames: t.octets > 0 ? [t.frame, ...t.replyFrames] : t.replyFrames,
    who,
    step: kind,
    event: kind === 'event' ? event!.event : undefined,
    primary,
    address,
    new_address: newAddress,
    role: instance?.role,
    instance: instance && endpoint(instance.address, instance.port),
    to,
    down,
    leader,
    epoch,
    full,
    detail: kind === 'event' ? event!.detail : undefined,
  };
}

/** `mymaster: 10.0.0.1:6379, from 5.872717 on 10.0.0.2:6379 (1.28 s after the other was first taken for down)`. */
export function primaryText({ name, places, downSince }: SentinelPrimary, start: readonly [number, number], signs: Signs): string {
  const told = places.map((place, i) => {
    const { address, outage } = place;
    if (i === 0) return safeText(address);
    const after = outage === undefined ? '' : ` (${withoutMu(durationText(outage), signs)} after the one before was first taken for down)`;
    return `from ${relativeTime(place, start)} on ${safeText(address)}${after}`;
  });
  if (downSince !== undefined) told.push(`taken for down since ${relativeTime(downSince, start)}`);
  return `${safeText(name)}: ${told.join(', ')}`;
}

/** What became of a primary, as a JSON record. */
export const primaryRecord = ({ name, places, downSince }: SentinelPrimary): object => ({
  primary: name,
  places: places.map(({ address, seconds, nanoseconds, outage }) => ({
    address,
    since: isoText(seconds, nanoseconds),
    outage: inSeconds(outage),
  })),
  down_since: downSince && isoText(downSince.seconds, downSince.nanoseconds),
});
