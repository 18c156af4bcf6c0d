import type { CpuSample, CpuSourceKind, EchoAnswer } from './types';

/** Where the CPU of the own node is read. */
export interface CpuSource {
  readonly kind: CpuSourceKind;
  /** @throws when it cannot be read. */
  read(): Promise<CpuSample>;
}

/** Where the other probers are. */
export interface PeerList {
  /** `host:port` of each, possibly with the own one among them. @throws when the list cannot be had. */
  addresses(): Promise<readonly string[]>;
}

/** Asks peers for an echo. */
export interface EchoClient {
  /** One round trip. @throws when there is no answer within the time limit, or none that is an echo. */
  probe(address: string): Promise<EchoAnswer>;
  close(): void;
}
