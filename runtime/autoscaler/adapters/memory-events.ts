import type { EventData, EventName } from '../events/types';
import type { Events } from '../ports';

/** Notes what it is told; for tests. */
export class MemoryEvents implements Events {
  readonly sent: { readonly name: EventName; readonly data: unknown }[] = [];

  async publish<N extends EventName>(name: N, data: EventData[N]): Promise<void> {
    this.send(name, data);
  }

  send<N extends EventName>(name: N, data: EventData[N]): void {
    this.sent.push({ name, data });
  }
}
