import { Pool } from 'undici';
import type { Engine, EngineAnswer, EngineRequest } from '../ports';

/** The Docker engine behind its socket. */
export class DockerEngine implements Engine {
  readonly #pool: Pool;

  constructor(
    socketPath: string,
    /** Time limit of one request, unless it needs more. */
    private readonly timeoutMs: number,
  ) {
    this.#pool = new Pool('http://docker', { socketPath, headersTimeout: 0, bodyTimeout: 0 });
  }

  async send({ method, path, body, extraMs = 0 }: EngineRequest): Promise<EngineAnswer> {
    const answer = await this.#pool.request({
      ...{ method, path },
      signal: AbortSignal.timeout(this.timeoutMs + extraMs),
      ...(body && { headers: { 'content-type': body.type }, body: body.content }),
    });
    return { status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
