import { systemClock } from '../shared/clock';
import { startHealthServer } from '../shared/health-server';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { serviceMain } from '../shared/service-main';
import { cpuSourceOf } from './adapters/cpu-source';
import { HttpEcho } from './adapters/http-echo';
import { addressOf, DnsPeers, StaticPeers } from './adapters/peer-lists';
import { addProberRoutes } from './app';
import { CpuWatch } from './loop/cpu-watch';
import { PeerWatch } from './loop/peer-watch';
import { proberMetrics } from './metrics';
import { scoresAt } from './policy/scores';
import { parseSimulatedLatencies } from './policy/simulation';
import { proberSettings, type ProberSettings } from './settings';

/** Longer than the peers' time between two probes, so that their connections stay open. */
const KEEP_ALIVE_MS = 120_000;

async function start(settings: ProberSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = proberMetrics();
  const source = await cpuSourceOf(settings, clock);
  const list =
    settings.peers === ''
      ? new DnsPeers(settings.peersDns, settings.peersPort)
      : new StaticPeers(settings.peers);
  const ownAddress =
    settings.podIp === ''
      ? undefined
      : addressOf(settings.podIp, settings.podIp.includes(':') ? 6 : 4, settings.port);
  const echo = new HttpEcho(settings.nodeName, settings.probeTimeoutMs);
  const cpu = new CpuWatch(source, settings, clock, log, metrics);
  const peers = new PeerWatch(ownAddress, list, echo, settings, clock, log, metrics);
  const simulated = parseSimulatedLatencies(settings.simulatedLatenciesMs);
  const scores = () =>
    scoresAt(
      { node: settings.nodeName, cpu: cpu.state, peers: peers.peers },
      { ...settings, simulated: simulated.size > 0 },
      clock.nowMs(),
    );
  const publish = (): void => {
    const now = scores();
    metrics.cpu.reset();
    metrics.latency.reset();
    if (now.cpu !== null) metrics.cpu.set({ source: now.cpu.source }, now.cpu.cpuRatio);
    for (const [peer, { latencyMs }] of Object.entries(now.peers))
      metrics.latency.set({ peer }, latencyMs / 1000);
    metrics.peers.set({ state: 'known' }, Object.keys(now.peers).length);
    metrics.peers.set({ state: 'unknown' }, Object.keys(now.unknownPeers).length);
  };
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    keepAliveMs: KEEP_ALIVE_MS,
    registry: metrics.registry,
    healthy: () => ({ ok: true }),
    ready: () => {
      const { cpu: reading, peers: known, unknownPeers } = scores();
      const counts = {
        known: Object.keys(known).length,
        unknown: Object.keys(unknownPeers).length,
      };
      return { ok: reading !== null, detail: { cpu: reading, peers: counts } };
    },
    routes: (app) =>
      addProberRoutes(app, { node: settings.nodeName, clock, simulated, peers, scores }),
  });
  if (simulated.size > 0)
    log.warn({ pairs: simulated.size }, 'latencies are SIMULATED: the echo delays its answers');
  log.info({ port: server.port, node: settings.nodeName, cpuSource: source.kind }, 'started');
  const end = new AbortController();
  const publishing = setInterval(publish, settings.cpuIntervalMs);
  const running = Promise.all([cpu.run(end.signal), peers.run(end.signal)]);
  return {
    stop: async () => {
      end.abort();
      clearInterval(publishing);
      await Promise.all([running, server.close()]);
      echo.close();
    },
  };
}

serviceMain({
  name: 'prober',
  summary: 'measures the CPU of its node and the round trip to other nodes, and answers both',
  settings: proberSettings,
  start,
});
