import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A command as Redis gets it: its name in lower case, then its arguments. */
export type Command = readonly string[];
/** Where the sender is stopped: before Redis gets the command, or when Redis has carried it out and before it is told. */
export type When = 'before' | 'after';

/** Asked right after the command at whose answer a service is stopped. */
const MARK = '*2\r\n$4\r\nECHO\r\n$22\r\nthe-gate-is-here-wF8c2\r\n';
const MARK_ANSWER = '$22\r\nthe-gate-is-here-wF8c2\r\n';

interface Stop {
  readonly when: When;
  readonly matches: (command: Command) => boolean;
  readonly reached: () => void;
}

/**
 * Stands between a service and Redis, and stops the service at a command of the test's choice: the command before Redis
 * has seen it, or its answer. The rest of that connection waits behind it.
 */
export class RedisGate {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #stop: Stop | undefined;

  private constructor(private readonly redis: URL) {
    this.#server = createServer((socket) => {
      const link = new Link(socket, connect(Number(redis.port), redis.hostname), (command) => {
        const stop = this.#stop;
        if (stop?.matches(command) !== true) return undefined;
        this.#stop = undefined;
        return stop;
      });
      this.#links.add(link);
      socket.once('close', () => this.#links.delete(link));
    });
  }

  static async start(redisUrl: string): Promise<RedisGate> {
    const gate = new RedisGate(new URL(redisUrl));
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get url(): string {
    const url = new URL(this.redis);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Stops whoever sends the next command that matches. Resolves when one is stopped. */
  stopAt(when: When, matches: (command: Command) => boolean): Promise<void> {
    return new Promise((reached) => (this.#stop = { when, matches, reached }));
  }

  /** Lets the one that is stopped go on. */
  release(): void {
    for (const link of this.#links) link.release();
  }

  /** Ends the connections that are stopped; what they hold never arrives. */
  drop(): void {
    for (const link of this.#links) if (link.held) link.end();
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.end();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One connection of the service, with the one to Redis that it stands for. */
class Link {
  #unread = Buffer.alloc(0);
  #answers = Buffer.alloc(0);
  #held: When | undefined;
  #reached: (() => void) | undefined;

  constructor(
    private readonly client: Socket,
    private readonly redis: Socket,
    private readonly stopFor: (command: Command) => Stop | undefined,
  ) {
    client.on('data', (chunk) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#forward();
    });
    redis.on('data', (chunk) => {
      if (this.#held !== 'after') return void client.write(chunk);
      this.#answers = Buffer.concat([this.#answers, chunk]);
      const end = this.#answers.indexOf(MARK_ANSWER);
      if (end < 0) return;
      this.#answers = this.#answers.subarray(0, end);
      this.#reached?.();
      this.#reached = undefined;
    });
    for (const socket of [client, redis]) {
      socket.on('error', () => undefined);
      socket.once('close', () => this.end());
    }
  }

  get held(): boolean {
    return this.#held !== undefined;
  }

  release(): void {
    if (this.#held === undefined) return;
    const past = this.#held === 'before';
    this.#held = undefined;
    this.client.write(this.#answers);
    this.#answers = Buffer.alloc(0);
    this.#forward(past);
  }

  end(): void {
    this.#unread = Buffer.alloc(0);
    this.client.destroy();
    this.redis.destroy();
  }

  /** @param past whether the first command is let through unseen: it is the one that was held */
  #forward(past = false): void {
    let seen = past;
    while (this.#held === undefined) {
      const read = firstCommand(this.#unread);
      if (read === undefined) return;
      const stop = seen ? undefined : this.stopFor(read.command);
      seen = false;
      this.#held = stop?.when;
      if (stop?.when === 'before') return stop.reached();
      this.#reached = stop?.reached;
      this.redis.write(this.#unread.subarray(0, read.bytes));
      this.#unread = this.#unread.subarray(read.bytes);
      // Answers come in order: that to the mark comes after that to the command, and is the last.
      if (stop !== undefined) this.redis.write(MARK);
    }
  }
}

/** The first command in what a client has sent; undefined where it is not there as a whole. */
function firstCommand(sent: Buffer): { command: Command; bytes: number } | undefined {
  let at = 0;
  const line = (): string | undefined => {
    const end = sent.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const text = sent.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  const head = line();
  if (head === undefined) return undefined;
  if (!head.startsWith('*')) throw new Error(`no command of a client: ${head}`);
  const words: string[] = [];
  for (let left = Number(head.slice(1)); left > 0; left -= 1) {
    const size = line();
    if (size === undefined) return undefined;
    const bytes = Number(size.slice(1));
    if (sent.length < at + bytes + 2) return undefined;
    words.push(sent.toString('utf8', at, at + bytes));
    at += bytes + 2;
  }
  const [name = '', ...rest] = words;
  return { command: [name.toLowerCase(), ...rest], bytes: at };
}
