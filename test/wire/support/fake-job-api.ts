import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundleOf } from './running-service';

const POD = 'the-pod';

interface Job {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Record<string, unknown> & {
    readonly template: { readonly spec: { readonly containers: [{ readonly args: string[] }] } };
  };
}

/** The part of an API server that Jobs of the load generator take: each Job is a real load generator's process. */
export class FakeJobApi {
  readonly jobs: Job[] = [];
  readonly deleted: string[] = [];
  /** How often the log was asked for. */
  logRequests = 0;
  /** Breaks the first log after so many bytes. */
  breakLogAfterBytes = Infinity;
  #text = Buffer.alloc(0);
  #child: ChildProcess | undefined;
  #ended = false;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** @param target port of this machine to which the load goes instead of to a Service. */
  constructor(private readonly targetPort: number) {}

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGKILL');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://api');
    const json = (value: unknown) => response.end(JSON.stringify(value));
    if (url.pathname.endsWith('/log')) return this.#log(response);
    if (url.pathname.endsWith('/cronjobs/wl-load-generator'))
      return void json({ spec: { jobTemplate: { spec: template } } });
    if (request.method === 'POST') return void json(await this.#create(request));
    if (request.method === 'DELETE') {
      this.deleted.push(url.searchParams.get('labelSelector') ?? '');
      this.#child?.kill('SIGTERM');
      return void json({});
    }
    if (url.pathname.endsWith('/jobs')) return void json({ items: [] });
    const pod = { metadata: { name: POD }, status: { phase: this.#phase } };
    json(url.pathname.endsWith(`/pods/${POD}`) ? pod : { items: [pod] });
  }

  get #phase(): string {
    if (this.#child === undefined) return 'Pending';
    return this.#ended ? 'Succeeded' : 'Running';
  }

  async #create(request: IncomingMessage): Promise<Job> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const job = JSON.parse(Buffer.concat(chunks).toString()) as Job;
    this.jobs.push(job);
    const args = [...job.spec.template.spec.containers[0].args];
    args[args.indexOf('--ip') + 1] = '127.0.0.1';
    args[args.indexOf('--port') + 1] = String(this.targetPort);
    const child = spawn(process.execPath, [await bundleOf('load-generator'), ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.on('data', (chunk: Buffer) => {
      this.#text = Buffer.concat([this.#text, chunk]);
    });
    child.on('close', () => {
      this.#ended = true;
    });
    this.#child = child;
    return job;
  }

  /** Follows the log from its start until the process has ended, or breaks off. */
  #log(response: ServerResponse): void {
    this.logRequests += 1;
    const limit = this.logRequests === 1 ? this.breakLogAfterBytes : Infinity;
    let sent = 0;
    const timer = setInterval(() => {
      const ended = this.#ended;
      const next = this.#text.subarray(sent, Math.min(this.#text.length, limit));
      sent += next.length;
      response.write(next);
      if (sent >= limit) response.destroy();
      else if (ended) response.end();
      if (sent >= limit || ended) clearInterval(timer);
    }, 20);
    response.once('close', () => clearInterval(timer));
  }
}

const template = {
  backoffLimit: 0,
  template: {
    metadata: { labels: { 'app.kubernetes.io/name': 'wl-load-generator' } },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'load-generator', image: 'i', args: [] }],
    },
  },
};
