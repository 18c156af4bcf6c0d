import type { DecisionsRequest, HistoryRequest, ScaleRequest } from './schemas';

/** Everything is as JSON will show it. */
type Json = Readonly<Record<string, unknown>>;

/** What the REST API shows and starts. */
export interface Control {
  info(): Json;
  /** `ok` false makes the answer a 503. */
  health(): { readonly ok: boolean } & Json;
  /** The cluster as the last cycle saw it. */
  metrics(): Json;
  nodeMetrics(): Json;
  workers(): Promise<Json>;
  history(query: HistoryRequest): Promise<Json>;
  /** Decisions with what they rested on, the most recent first. */
  decisions(query: DecisionsRequest): Promise<Json>;
  /** Writes the rules in force down. */
  initRules(): Promise<Json>;
  /** Without secrets. */
  config(): Json;
  /** Starts what is asked for and answers at once. @throws Refusal when nothing was begun */
  scale(request: ScaleRequest): Promise<Json>;
  /** One cycle now. */
  cycle(): Promise<Json>;
  /** Stops after what is under way has reached its next step. */
  stop(): Promise<Json>;
  reconciliationStatus(): Json;
  triggerReconciliation(): Promise<Json>;
}

/** A request that was understood and cannot be carried out now: HTTP 409. */
export class Refusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Refusal';
  }
}
