/** Who talks to whom, in records of what was said. */
export interface Parties {
  /** `tcp.stream`, or `udp.stream` of what goes over UDP. */
  readonly stream: number;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
}
