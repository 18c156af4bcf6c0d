import { request as httpsRequest, Agent } from 'node:https';
import { createInterface } from 'node:readline';
import type { IncomingMessage } from 'node:http';
import type { Identity } from './kubeconfig';

/** An answer of the API server that is an error. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface WatchEvent<T> {
  type: string;
  object: T;
}

/** As much of a Kubernetes client as a node needs: one identity, JSON in and out. */
export class KubeClient {
  private readonly agent: Agent;

  constructor(private readonly identity: Identity) {
    const { ca, cert, key } = identity;
    this.agent = new Agent({ ca, cert, key, keepAlive: true });
  }

  private send(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = {
        method,
        agent: this.agent,
        headers: { 'content-type': contentType },
        signal,
      };
      const request = httpsRequest(new URL(path, this.identity.server), options, resolve);
      request.on('error', reject);
      // A watch is silent for long; anything else that is silent for so long has hung.
      if (!signal)
        request.setTimeout(30_000, () => request.destroy(new Error(`${path}: no answer`)));
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** @throws ApiError for any answer but 2xx, Error when there is none. */
  async call<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> {
    const response = await this.send(method, path, body, contentType);
    const text = await textOf(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299)
      throw new ApiError(status, `${method} ${path}: ${status} ${text}`);
    return (text.startsWith('{') ? JSON.parse(text) : text) as T;
  }

  /** Follows a resource from a version on, until the server ends it, or the signal. */
  async watch<T>(path: string, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal) {
    const response = await this.send('GET', path, undefined, undefined, signal);
    if (response.statusCode !== 200)
      throw new ApiError(response.statusCode ?? 0, `watch ${path}: ${await textOf(response)}`);
    for await (const line of createInterface({ input: response }))
      onEvent(JSON.parse(line) as WatchEvent<T>);
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk as string;
  return text;
}
