import { Agent, request } from 'undici';
import { proberScoresSchema, type ProberScores } from './prober-scores';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Asks probers for their scores, over one connection each that stays open. */
export class ProberClient {
  readonly #agent: Agent;

  constructor(private readonly timeoutMs: number) {
    this.#agent = new Agent({
      connections: 1,
      keepAliveTimeout: 60_000,
      connect: { timeout: timeoutMs },
    });
  }

  /**
   * @param address `host:port`. @param focus address of another prober that this one shall measure to.
   * @throws Error without a valid answer in time.
   */
  async scores(address: string, focus?: string): Promise<ProberScores> {
    const signal = AbortSignal.timeout(this.timeoutMs);
    try {
      const response = await request(`http://${address}/scores`, {
        dispatcher: this.#agent,
        signal,
        ...(focus !== undefined && { query: { focus } }),
      });
      const text = await bounded(response.body);
      if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`);
      const parsed = proberScoresSchema.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw new Error(`not what a prober answers: ${issue?.path.join('.')}: ${issue?.message}`);
    } catch (error) {
      if (signal.aborted)
        throw new Error(`no answer within ${this.timeoutMs} ms`, { cause: error });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer is over 4 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
