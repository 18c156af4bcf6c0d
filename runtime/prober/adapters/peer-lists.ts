import { lookup } from 'node:dns/promises';
import type { PeerList } from '../ports';

/** A list that does not change. */
export class StaticPeers implements PeerList {
  readonly #addresses: readonly string[];

  /** @param text `host:port,host:port`. @throws Error naming an entry without host or port. */
  constructor(text: string) {
    this.#addresses = text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
    for (const entry of this.#addresses) {
      if (!/^.+:\d{1,5}$/.test(entry))
        throw new Error(`PEERS: ${JSON.stringify(entry)} is not host:port`);
    }
  }

  async addresses(): Promise<readonly string[]> {
    return this.#addresses;
  }
}

/** The pods behind a headless service. Its name is looked up as the pod's resolver does, search domains included. */
export class DnsPeers implements PeerList {
  constructor(
    private readonly name: string,
    private readonly port: number,
  ) {}

  async addresses(): Promise<readonly string[]> {
    const found = await lookup(this.name, { all: true });
    return found.map(({ address, family }) => addressOf(address, family, this.port)).sort();
  }
}

/** `host:port`, with an IPv6 address in brackets. */
export const addressOf = (ip: string, family: number, port: number): string =>
  family === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
