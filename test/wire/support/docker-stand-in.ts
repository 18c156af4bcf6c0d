import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Container {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  running: boolean;
}

/** Told what becomes of a container, as the agent in it would be. */
export interface Agent {
  started(name: string): Promise<void>;
  ended(name: string): Promise<void>;
}

/**
 * Stands for Docker where no container can run: it answers the calls that the autoscaler makes about containers, and
 * lets the test play the agent. What Docker itself does is tested against the lab's engine.
 */
export class DockerStandIn {
  readonly #containers = new Map<string, Container>();
  /** Names in the order in which they were made. */
  readonly made: string[] = [];
  /** Names in the order in which they were removed. */
  readonly removed: string[] = [];
  /** Names of containers that cannot be started. */
  readonly broken = new Set<string>();
  readonly #server = createServer((request, response) => {
    if (request.headers.authorization === `Bearer ${this.token}`)
      return void this.#serve(request, response);
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: 'no token' }));
  });
  /** Who may open the socket needs no token, as with the engine. */
  readonly #socket = createServer((request, response) => void this.#serve(request, response));

  private constructor(
    readonly token: string,
    private readonly agent: Agent,
  ) {}

  /** @param socket path at which it listens, too */
  static async start(token: string, agent: Agent, socket?: string): Promise<DockerStandIn> {
    const docker = new DockerStandIn(token, agent);
    await new Promise<void>((resolve) => docker.#server.listen(0, '127.0.0.1', resolve));
    if (socket !== undefined)
      await new Promise<void>((resolve) => docker.#socket.listen(socket, resolve));
    return docker;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get names(): readonly string[] {
    return [...this.#containers.values()].map(({ name }) => name).sort();
  }

  async stop(): Promise<void> {
    for (const server of [this.#server, this.#socket]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** A container that has run for a day. */
  add(name: string, labels: Readonly<Record<string, string>>): void {
    const id = randomBytes(32).toString('hex');
    const createdAtMs = Date.now() - 86_400_000;
    this.#containers.set(id, { id, name, labels, createdAtMs, running: true });
  }

  /** A container that is gone without anybody having asked for it. */
  lose(name: string): void {
    for (const { id, name: its } of this.#containers.values())
      if (its === name) this.#containers.delete(id);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      response.statusCode = 500;
      response.end(JSON.stringify({ message: String(error) }));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const send = (status: number, body?: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const [, , id = '', action = ''] = pathname.replace(/^\/v[\d.]+/, '').split('/');
    const what = `${request.method} ${[id, action].filter((part) => part !== '').join(' ')}`;
    if (what === 'GET json') return send(200, this.#list(searchParams.get('filters') ?? '{}'));
    if (what === 'POST create') return this.#create(searchParams.get('name') ?? '', request, send);
    request.resume();
    const container = this.#containers.get(id);
    if (container === undefined) return send(404, { message: `no such container: ${id}` });
    if (action === 'json') return send(200, { Id: id, Config: { Labels: container.labels } });
    if (action === 'archive') return send(200);
    if (action === 'start') {
      if (this.broken.has(container.name)) return send(500, { message: 'it cannot be started' });
      const was = container.running;
      container.running = true;
      if (!was) await this.agent.started(container.name);
      return send(was ? 304 : 204);
    }
    if (action === 'stop') {
      const was = container.running;
      await this.#end(container);
      return send(was ? 204 : 304);
    }
    if (request.method === 'DELETE' && action === '') {
      await this.#end(container);
      if (this.#containers.delete(id)) this.removed.push(container.name);
      return send(204);
    }
    send(501, {
      message: `${request.method} ${pathname} is nothing that the autoscaler should ask`,
    });
  }

  #list(filters: string): object[] {
    const { label = [] } = JSON.parse(filters) as { label?: string[] };
    const has = (labels: Readonly<Record<string, string>>, filter: string): boolean => {
      const [key = '', value = ''] = filter.split('=');
      return labels[key] === value;
    };
    return [...this.#containers.values()]
      .filter(({ labels }) => label.every((filter) => has(labels, filter)))
      .map(({ id, name, labels, createdAtMs, running }) => ({
        ...{ Id: id, Names: [`/${name}`], State: running ? 'running' : 'exited' },
        ...{ Created: Math.floor(createdAtMs / 1000), Labels: labels },
      }));
  }

  async #create(
    name: string,
    request: IncomingMessage,
    send: (status: number, body?: unknown) => void,
  ): Promise<void> {
    const { Labels } = (await json(request)) as { Labels: Record<string, string> };
    const taken = [...this.#containers.values()].some((one) => one.name === name);
    if (taken) return send(409, { message: `the name ${name} is in use` });
    const id = randomBytes(32).toString('hex');
    const createdAtMs = Date.now();
    this.#containers.set(id, { id, name, labels: Labels, createdAtMs, running: false });
    this.made.push(name);
    send(201, { Id: id, Warnings: [] });
  }

  async #end(container: Container): Promise<void> {
    if (!container.running) return;
    container.running = false;
    await this.agent.ended(container.name);
  }
}
