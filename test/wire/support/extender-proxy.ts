import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually } from './kube';

/** What kube-scheduler sent, as it came. */
export interface AskedQuestion {
  readonly verb: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Name of the pod it is about. */
  readonly pod: string;
}

/** Stands between a kube-scheduler and the extender: keeps what was asked, and can keep back the answers. */
export class ExtenderProxy {
  readonly asked: AskedQuestion[] = [];
  /** Verbs that get no answer while they are in here; who asked then gets none later either. */
  readonly held = new Set<string>();
  readonly #server: Server;

  private constructor(private readonly target: string) {
    this.#server = createServer((request, response) => {
      // The kube-scheduler may be gone, or wait no longer; so may the extender.
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** @param target base URL of the extender. */
  static async start(target: string): Promise<ExtenderProxy> {
    const proxy = new ExtenderProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The first question of this kind about a pod, once it was asked. */
  question(verb: string, pod: string, limitMs: number): Promise<AskedQuestion> {
    return eventually(
      `/${verb} was asked about ${pod}`,
      async () => this.asked.find((one) => one.verb === verb && one.pod === pod),
      limitMs,
    );
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const verb = (request.url ?? '').slice(1);
    const parsed = JSON.parse(body) as Record<string, unknown>;
    const { metadata } = parsed['Pod'] as { metadata: { name: string } };
    this.asked.push({ verb, body: parsed, pod: metadata.name });
    if (this.held.has(verb)) return;
    const answer = await fetch(`${this.target}/${verb}`, { method: 'POST', body });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  }
}
