/** A request to the Docker engine, made here and never a copy of what came in. */
export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly body?: { readonly type: string; readonly content: string | Buffer };
  /** Time that the engine needs beyond the limit of every request. */
  readonly extraMs?: number;
}

/** What it answered. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** The Docker engine. */
export interface Engine {
  /** @throws Error when it cannot be reached or does not answer within the time limit */
  send(request: EngineRequest): Promise<EngineAnswer>;
}
