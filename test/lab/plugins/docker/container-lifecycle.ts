import { setTimeout as wait } from 'node:timers/promises';
import type { CallContext } from '../shared';
import type { ContainerInputs } from './container-schema';
import type { ContainerInfo } from './container-state';
import { EngineError, unlessGone, type EngineApi } from './engine-api';
import { uploadTar } from './upload';

const POLL_MS = 500;
/** How many of a failed container's last lines an error quotes. */
const QUOTED_LINES = 20;

/** The calls on one container. */
export class ContainerHandle {
  constructor(
    private readonly engine: EngineApi,
    readonly id: string,
    private readonly context: CallContext,
  ) {}

  inspect(): Promise<ContainerInfo | undefined> {
    return unlessGone(this.call<ContainerInfo>('GET', '/json'));
  }

  async inspectExisting(): Promise<ContainerInfo> {
    const info = await this.inspect();
    if (info === undefined) throw new Error(`container ${this.id} is gone`);
    return info;
  }

  /** Takes it off the default network and puts it on the given ones. */
  async join(networks: NonNullable<ContainerInputs['networksAdvanced']>): Promise<void> {
    await this.onNetwork('bridge', 'disconnect', { Container: this.id }).catch((error: unknown) => {
      const wasNot = error instanceof EngineError && /is not connected to/.test(error.message);
      if (!wasNot) throw error;
    });
    for (const { name, aliases, ipv4Address, ipv6Address } of networks) {
      const ipam = { IPv4Address: ipv4Address, IPv6Address: ipv6Address };
      const body = { Container: this.id, EndpointConfig: { Aliases: aliases, IPAMConfig: ipam } };
      await this.onNetwork(name, 'connect', body).catch((error: Error) => {
        throw new Error(`Unable to connect to network '${name}': ${error.message}`);
      });
    }
  }

  async upload(uploads: NonNullable<ContainerInputs['uploads']>): Promise<void> {
    for (const upload of uploads) {
      const body = uploadTar(upload, Date.now());
      await this.call('PUT', '/archive', { query: { path: '/' }, body });
    }
  }

  async start(): Promise<void> {
    await this.call('POST', '/start').catch((error: Error) => {
      throw new Error(`Unable to start container: ${error.message}`);
    });
  }

  /** @throws Error when it is not healthy within the time, ends before, or has no health check. */
  async waitHealthy(timeoutSeconds: number): Promise<void> {
    const deadline = Date.now() + timeoutSeconds * 1000;
    for (;;) {
      const { State: state } = await this.inspectExisting();
      if (state.Health === undefined) {
        throw new Error('`wait` is set, but the container has no healthcheck');
      }
      if (state.Health.Status === 'healthy') return;
      if (!state.Running) throw await this.failure(`it ended with exit code ${state.ExitCode}`);
      if (Date.now() > deadline) {
        throw await this.failure(`it was not healthy within ${timeoutSeconds} s`);
      }
      this.context.status(`waiting until it is healthy (${state.Health.Status})`);
      await wait(POLL_MS, undefined, { signal: this.context.signal });
    }
  }

  /** Waits until it ends. */
  async ended(condition: 'not-running' | 'removed'): Promise<void> {
    await unlessGone(this.call('POST', '/wait', { query: { condition } }));
  }

  /** What it printed, both streams together; `tail` is a number of lines. */
  async logs(tail?: number): Promise<string> {
    const query = { stdout: true, stderr: true, tail: tail ?? 'all' };
    const path = `/containers/${this.id}/logs`;
    return withoutFrames(
      await this.engine.raw('GET', path, { query, signal: this.context.signal }),
    );
  }

  /** Changes limits while it runs. */
  async update(limits: object): Promise<void> {
    await this.call('POST', '/update', { body: limits }).catch((error: Error) => {
      throw new Error(`Unable to update a container: ${error.message}`);
    });
  }

  /** Stops it with the given grace and removes it; content when it is gone already. */
  async remove(options: {
    stop: boolean;
    graceSeconds: number;
    volumes: boolean;
    signal?: AbortSignal;
  }): Promise<void> {
    if (options.stop) {
      await unlessGone(this.call('POST', '/stop', { query: { t: options.graceSeconds } }));
    }
    const query = { v: options.volumes, force: true };
    const signal = options.signal ?? this.context.signal;
    const removal = this.engine.json('DELETE', `/containers/${this.id}`, { query, signal });
    await unlessGone(removal).catch((error: unknown) => {
      const isGoing = error instanceof EngineError && /already in progress/.test(error.message);
      if (!isGoing) throw error;
    });
    await unlessGone(
      this.engine.json('POST', `/containers/${this.id}/wait`, {
        query: { condition: 'removed' },
        signal,
      }),
    );
  }

  /** An error that quotes the last lines. */
  async failure(what: string): Promise<Error> {
    const lines = await this.logs(QUOTED_LINES).catch(() => '');
    return new Error(`container ${this.context.name}: ${what}${lines && `:\n${lines}`}`);
  }

  private call<T>(
    method: string,
    path: string,
    more: { query?: Record<string, string | number | boolean>; body?: unknown } = {},
  ): Promise<T> {
    const { signal } = this.context;
    return this.engine.json<T>(method, `/containers/${this.id}${path}`, { ...more, signal });
  }

  private onNetwork(name: string, verb: string, body: object): Promise<void> {
    const { signal } = this.context;
    return this.engine.json('POST', `/networks/${name}/${verb}`, { body, signal });
  }
}

/** Text without the 8-byte frame headers that the engine puts between two streams (a terminal has none). */
function withoutFrames(bytes: Buffer): string {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 8 <= bytes.length && bytes.readUInt8(at) <= 2 && bytes.readUIntBE(at + 1, 3) === 0) {
    const length = bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]).toString();
}
