import * as https from 'node:https';
import * as http from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiError, UnreachableError } from './errors';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A Kubernetes object as the API server writes it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    generation?: number;
    resourceVersion?: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: { uid: string }[];
    managedFields?: ManagedFields[];
  };
  spec?: Record<string, Json>;
  status?: Record<string, Json>;
  [key: string]: unknown;
}

export interface ManagedFields {
  manager?: string;
  operation?: string;
  subresource?: string;
  fieldsV1?: Record<string, Json>;
  [key: string]: unknown;
}

export interface RequestOptions {
  query?: Record<string, string | undefined>;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal;
  /** How long to go on trying when the server does not answer, in ms. */
  patienceMs?: number;
}

/** Codes of errors that happen before a request is under way, or while a server starts or restarts. */
const TRANSIENT = ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'EHOSTUNREACH'];
const RETRY_EVERY_MS = 500;
const SILENCE_MS = 30_000;

/** One API server, as a kubeconfig's context names it. */
export class Cluster {
  private constructor(
    readonly server: string,
    readonly contextNamespace: string | undefined,
    readonly kubeconfig: KubeConfig,
    private readonly connection: https.RequestOptions,
  ) {}

  /** @param kubeconfig the content of a kubeconfig file, or the path of one */
  static async connect(
    kubeconfig: string,
    choice: { context?: string; cluster?: string },
  ): Promise<Cluster> {
    const config = loadKubeconfig(kubeconfig);
    if (choice.context !== undefined) config.setCurrentContext(choice.context);
    const context = config.getContextObject(config.getCurrentContext());
    if (context && choice.cluster !== undefined) {
      Object.assign(context, { cluster: choice.cluster });
    }
    const cluster = config.getCurrentCluster();
    if (!context || !cluster) {
      throw new Error(`kubeconfig: no cluster for the context "${config.getCurrentContext()}"`);
    }
    const connection: https.RequestOptions = {};
    await config.applyToHTTPSOptions(connection);
    return new Cluster(cluster.server, context.namespace, config, connection);
  }

  /** Sends one request and reads the answer as JSON. @throws ApiError, UnreachableError */
  async request<T = KubeObject>(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<T> {
    const until = Date.now() + (options.patienceMs ?? 60_000);
    for (;;) {
      try {
        const response = await this.open(method, path, options);
        const body = await readAll(response);
        const status = response.statusCode ?? 0;
        if (status < 300) return (body === '' ? {} : JSON.parse(body)) as T;
        throw ApiError.from(status, body);
      } catch (error) {
        if (options.signal?.aborted) throw options.signal.reason;
        if (!isTransient(error, method)) throw error;
        if (Date.now() >= until) {
          throw error instanceof ApiError
            ? error
            : new UnreachableError(this.server, error as Error);
        }
      }
      await delay(RETRY_EVERY_MS, undefined, { signal: options.signal });
    }
  }

  /** Follows a list from a resource version on; ends when the server closes the stream. */
  async *watch(
    path: string,
    query: Record<string, string>,
    signal: AbortSignal,
  ): AsyncGenerator<{ type: string; object: KubeObject }> {
    const response = await this.open('GET', path, {
      query: { ...query, watch: '1', timeoutSeconds: '25' },
      signal,
    });
    if (response.statusCode !== 200) {
      throw ApiError.from(response.statusCode ?? 0, await readAll(response));
    }
    let rest = '';
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line !== '') yield JSON.parse(line) as { type: string; object: KubeObject };
      }
    }
  }

  private open(
    method: string,
    path: string,
    options: RequestOptions,
  ): Promise<http.IncomingMessage> {
    const url = new URL(this.server.replace(/\/$/, '') + path);
    for (const [key, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, value);
    }
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const send = url.protocol === 'http:' ? http.request : https.request;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        ...this.connection,
        // The agent made for https cannot carry plain http.
        ...(url.protocol === 'http:' ? { agent: undefined } : {}),
        method,
        signal: options.signal,
        headers: {
          ...this.connection.headers,
          accept: 'application/json',
          ...(body === undefined
            ? {}
            : {
                'content-type': options.contentType ?? 'application/json',
                'content-length': Buffer.byteLength(body),
              }),
        },
      });
      request.once('response', resolve).once('error', reject);
      request.setTimeout(SILENCE_MS, () =>
        request.destroy(Object.assign(new Error('no answer in 30 s'), { code: 'ETIMEDOUT' })),
      );
      request.end(body);
    });
  }
}

export function loadKubeconfig(contentOrPath: string): KubeConfig {
  const config = new KubeConfig();
  const isPath = !contentOrPath.includes('\n') && existsSync(contentOrPath);
  config.loadFromString(isPath ? readFileSync(contentOrPath, 'utf8') : contentOrPath);
  return config;
}

async function readAll(response: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

function isTransient(error: unknown, method: string): boolean {
  if (error instanceof ApiError) {
    // A server that is overloaded or starting says so before it does anything; a POST is never sent twice otherwise.
    return (
      error.status === 429 || (method !== 'POST' && [500, 502, 503, 504].includes(error.status))
    );
  }
  const code = (error as { code?: string }).code;
  return code === 'ECONNREFUSED' || (method !== 'POST' && TRANSIENT.includes(code ?? ''));
}
