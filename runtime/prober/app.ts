import type { Express } from 'express';
import type { Clock } from '../shared/clock';
import type { ProberScores } from '../shared/prober-scores';
import { ASKING_NODE_HEADER } from './adapters/http-echo';
import type { PeerWatch } from './loop/peer-watch';
import { simulatedDelayMs, type SimulatedLatencies } from './policy/simulation';

export interface ProberRoutes {
  readonly node: string;
  readonly clock: Clock;
  readonly simulated: SimulatedLatencies;
  readonly peers: Pick<PeerWatch, 'focus'>;
  scores(): ProberScores;
}

/** Adds `/echo`, which others measure by, and `/scores`. */
export function addProberRoutes(app: Express, routes: ProberRoutes): void {
  const echo = JSON.stringify({ node: routes.node });
  app.get('/echo', async (request, response) => {
    const asking = request.headers[ASKING_NODE_HEADER];
    const delayMs =
      typeof asking === 'string' ? simulatedDelayMs(routes.simulated, asking, routes.node) : 0;
    if (delayMs > 0) await routes.clock.sleep(delayMs);
    response.type('json').end(echo);
  });
  app.get('/scores', (request, response) => {
    const { focus } = request.query;
    // Only peers of the own list are ever contacted, whatever is asked for.
    if (typeof focus === 'string' && focus !== '') routes.peers.focus(focus);
    response.json(routes.scores());
  });
}
