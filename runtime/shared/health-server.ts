import express, { type Express } from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from './metrics';
import type { CertificateFiles } from './tls/certificate-files';
import { closeServer, createWebServer, listen } from './tls/web-server';

/** What a probe is told. */
export interface ProbeAnswer {
  readonly ok: boolean;
  /** Sent as JSON beside `ok`. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** How a service answers its probes. */
export interface HealthOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly registry: Registry;
  /** How long a connection that nobody uses stays open; 5 s when it is not given. */
  readonly keepAliveMs?: number;
  /** With these it speaks TLS and nothing else. */
  readonly certificates?: CertificateFiles | undefined;
  /** Alive: false makes the kubelet restart the container. */
  healthy(): ProbeAnswer;
  /** Ready: false takes the pod out of its Service. */
  ready(): ProbeAnswer;
  /** Answers a request past express, and says whether it did: for calls that come too often for it. */
  direct?(request: IncomingMessage, response: ServerResponse): boolean;
  /** Adds the routes of the service itself. */
  routes?(app: Express): void;
}

/** A listening server. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const DEFAULT_KEEP_ALIVE_MS = 5000;

/** Serves /healthz, /readyz and /metrics, and what the service adds. @throws when the port is taken. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const app = express();
  app.disable('x-powered-by');
  const probe = (path: string, ask: () => ProbeAnswer): void => {
    app.get(path, (_request, response) => {
      const answer = ask();
      response.status(answer.ok ? 200 : 503).json({ ok: answer.ok, ...answer.detail });
    });
  };
  probe('/healthz', () => options.healthy());
  probe('/readyz', () => options.ready());
  app.get('/metrics', async (_request, response) => {
    response.type(options.registry.contentType).send(await options.registry.metrics());
  });
  options.routes?.(app);
  app.use((_request, response) => {
    response.status(404).json({ error: 'no such path' });
  });
  const server = createWebServer(
    { keepAliveTimeout: options.keepAliveMs ?? DEFAULT_KEEP_ALIVE_MS },
    (request, response) => {
      if (options.direct?.(request, response) !== true) app(request, response);
    },
    options.certificates,
  );
  const port = await listen(server, options.port, options.host);
  return { port, close: () => closeServer(server) };
}
