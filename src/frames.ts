/** From octets to frames: a source of records, a session with everything that was asked for, and the frames one by one. */
import { ArpBindings } from './analysis/arp-bindings.js';
import { Conversations } from './analysis/conversations.js';
import { type CaptureReader, CaptureRecord } from './capture/source.js';
import type { Frame } from './core/frame.js';
import { type DecodeAs, Registry } from './core/registry.js';
import { type Hooks, Session } from './core/session.js';
import type { Arp } from './dissectors/arp.js';
import { PROTOCOLS } from './dissectors/index.js';
import type { Tcp } from './dissectors/tcp.js';
import { Fragments } from './reassembly/fragments.js';

/** What a run should find out; each `false` saves its work. */
export interface AnalysisOptions {
  /** Verify checksums of IP, ICMP, UDP and TCP. Default false. */
  readonly checksums?: boolean;
  /** Follow TCP conversations and analyse them: tcp.stream, relative numbers, tcp.analysis.*, netlens.tcp.*. Default true. */
  readonly tcpAnalysis?: boolean;
  /** Put TCP byte streams in order and dissect the messages in them; needs {@link tcpAnalysis}. Default true. */
  readonly streams?: boolean;
  /** Dissect these ports, EtherTypes, … as a named protocol. */
  readonly decodeAs?: readonly DecodeAs[];
}

/** A session with the dissectors and whatever spans frames, as the options ask. */
export function createSession(options: AnalysisOptions = {}): Session {
  const hooks: Hooks = {};
  const fragments = new Fragments();
  hooks.fragment = (frame, fragment) => fragments.add(frame, fragment);
  const arpBindings = new ArpBindings();
  hooks.arp = (frame, arp) => arpBindings.see(frame, arp as Arp);
  if (options.tcpAnalysis ?? true) {
    const conversations = new Conversations();
    hooks.tcpHeader = (frame, tcp, sized) => {
      (tcp as Tcp).direction = conversations.of(frame, tcp, sized);
    };
  }
  return new Session({ registry: new Registry(PROTOCOLS, options.decodeAs), checksums: options.checksums ?? false, hooks });
}

/** Every frame of a source, dissected. A frame is valid until the next one is asked for; `frame.keep()` lasts. */
export async function* framesOf(reader: CaptureReader, session: Session): AsyncGenerator<Frame, void, undefined> {
  const record = new CaptureRecord();
  try {
    do {
      while (reader.next(record)) yield session.dissect(record);
    } while (await reader.fill());
  } finally {
    await reader.close();
  }
}
