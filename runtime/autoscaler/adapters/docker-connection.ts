import Docker from 'dockerode';

/** How a Docker engine, or what guards its socket, is reached. */
export interface DockerOptions {
  /** `http://host:port`, or `unix:///path/of/docker.sock`. */
  readonly url: string;
  /** Sent as bearer token; empty for an engine's own socket. */
  readonly token: string;
}

/** A client of Docker; the environment's DOCKER_HOST and the like have no part in it. */
export function connectDocker({ url, token }: DockerOptions): Docker {
  const { protocol, hostname, port, pathname } = new URL(url);
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  const nowhere = { host: undefined, socketPath: undefined, ca: undefined, timeout: undefined };
  if (protocol === 'unix:') return new Docker({ ...nowhere, socketPath: pathname, headers });
  return new Docker({
    ...nowhere,
    ...{ host: hostname.replace(/^\[|\]$/g, ''), headers },
    port: port || (protocol === 'https:' ? 443 : 80),
    protocol: protocol === 'https:' ? 'https' : 'http',
  });
}
