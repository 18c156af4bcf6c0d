import { readFileSync } from 'node:fs';
import https from 'node:https';
import { parse } from 'yaml';
import { messageOf, UserError } from './user-error';

/** Reads from an API server. Rejects with UnreachableError or KubeError. */
export interface Kube {
  readonly server: string;
  json<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
}

/** Sends to an API server, too. */
export interface WritingKube extends Kube {
  /** Sends JSON, and reads JSON. */
  post<T>(path: string, body: object, headers?: Readonly<Record<string, string>>): Promise<T>;
}

/** The API server answered, and not with what was asked for. */
export class KubeError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** What it answered. */
    readonly body = '',
  ) {
    super(message);
    this.name = 'KubeError';
  }
}

/** The API server did not answer at all. */
export class UnreachableError extends UserError {
  constructor(server: string, cause: unknown) {
    super(`cluster at ${server} does not answer: ${messageOf(cause)}`, { cause });
    this.name = 'UnreachableError';
  }
}

interface KubeconfigFile {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { name: string; context: { cluster: string; user: string } }[];
  readonly clusters?: readonly { name: string; cluster: Record<string, string | boolean> }[];
  readonly users?: readonly { name: string; user: Record<string, unknown> }[];
}

/**
 * Opens the cluster of a kubeconfig file. Certificates and tokens are read here, which takes no time;
 * the Kubernetes client, which takes seconds to load, only comes in for plugins and files beside the kubeconfig.
 * @param timeoutMs how long each answer may take.
 * @throws UserError for a file that is no kubeconfig.
 */
export async function openKube(file: string, timeoutMs = 10_000): Promise<WritingKube> {
  const config = readKubeconfig(file);
  const name = config['current-context'];
  const context = config.contexts?.find((entry) => entry.name === name)?.context;
  const cluster = config.clusters?.find((entry) => entry.name === context?.cluster)?.cluster;
  const user = config.users?.find((entry) => entry.name === context?.user)?.user ?? {};
  if (typeof cluster?.server !== 'string')
    throw new UserError(`${file}: has no cluster for its current context`);
  const known = Object.keys(user).every((key) =>
    ['client-certificate-data', 'client-key-data', 'token'].includes(key),
  );
  const options =
    known && !cluster['certificate-authority']
      ? plainOptions(cluster, user)
      : await clientOptions(file);
  const server = cluster.server.replace(/\/$/, '');
  const agent = new https.Agent({ keepAlive: true });
  const request = (path: string, accept: string, sent?: Sent) =>
    send(`${server}${path}`, { ...options, agent, timeoutMs, accept }, sent).catch(
      (error: unknown) => {
        throw error instanceof KubeError ? error : new UnreachableError(server, error);
      },
    );
  return {
    server,
    text: (path) => request(path, '*/*'),
    json: async <T>(path: string) => JSON.parse(await request(path, 'application/json')) as T,
    post: async <T>(path: string, body: object, headers: Sent['headers'] = {}) =>
      JSON.parse(await request(path, 'application/json', { body, headers })) as T,
  };
}

function readKubeconfig(file: string): KubeconfigFile {
  try {
    return (parse(readFileSync(file, 'utf8')) ?? {}) as KubeconfigFile;
  } catch (error) {
    throw new UserError(`${file}: ${messageOf(error)}`, { cause: error });
  }
}

function plainOptions(
  cluster: Readonly<Record<string, string | boolean>>,
  user: Readonly<Record<string, unknown>>,
): https.RequestOptions {
  const decoded = (value: unknown) =>
    typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
  return {
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
    rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
    ...(typeof user.token === 'string'
      ? { headers: { authorization: `Bearer ${user.token}` } }
      : {}),
  };
}

async function clientOptions(file: string): Promise<https.RequestOptions> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(file);
  const options: https.RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  delete options.agent;
  return options;
}

interface GetOptions extends https.RequestOptions {
  readonly timeoutMs: number;
  readonly accept: string;
}

/** What a POST carries. */
interface Sent {
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
}

function send(
  url: string,
  { timeoutMs, accept, headers, ...options }: GetOptions,
  sent?: Sent,
): Promise<string> {
  const more = sent && { ...sent.headers, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    signal.addEventListener('abort', () =>
      reject(new Error(`no answer within ${timeoutMs / 1000} s`)),
    );
    const request = https.request(
      url,
      {
        ...{ ...options, signal, method: sent ? 'POST' : 'GET' },
        headers: { ...headers, ...more, accept },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(body);
          else reject(new KubeError(status, `${url}: ${status} ${body.slice(0, 300)}`, body));
        });
      },
    );
    request.on('error', reject);
    request.end(sent && JSON.stringify(sent.body));
  });
}
