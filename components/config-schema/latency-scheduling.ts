import { z } from 'zod';
import { parseSimulatedLatencies } from '../../runtime/prober/policy/simulation';
import { mutualTls } from './tls';
import { absolutePath, block, logLevel, nodeName, range, wholeRange } from './values';

/** Delays by `NODE/NODE`, in milliseconds; `*` stands for any node. */
const simulatedLatenciesMs = z
  .record(z.string(), range(0, 10_000))
  .default({})
  .superRefine((latencies, ctx) => {
    try {
      parseSimulatedLatencies(simulatedLatenciesText(latencies));
    } catch (error) {
      ctx.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });

/** The delays as the prober's setting has them: `node-1/node-2=40,node-1/*=5`. */
export const simulatedLatenciesText = (latencies: Readonly<Record<string, number>>): string =>
  Object.entries(latencies)
    .map(([pair, delayMs]) => `${pair}=${delayMs}`)
    .join(',');

export const latencySchedulingSchema = block({
  enabled: z.boolean().default(false),
  replicas: wholeRange(1, 5).default(2),
  nothingFresh: z.enum(['open', 'closed']).default('open'),
  firstTargetWaitSeconds: wholeRange(0, 600).default(0),
  httpTimeoutSeconds: wholeRange(1, 60).default(5),
  ignorable: z.boolean().default(false),
  landmarks: wholeRange(1, 1000).default(8),
  latencyFullScaleMs: range(0.001, 60_000).default(100),
  simulatedLatenciesMs,
  hellopod: block({
    replicas: wholeRange(0, 1000).default(9),
    cpuMillis: wholeRange(1, 64_000).default(50),
    path: z.union([z.literal(''), absolutePath]).default('/hello'),
  }),
  traffic: block({
    node: z.union([z.literal(''), nodeName]).default(''),
    ratePerSecond: range(0.01, 1000).default(5),
  }),
  tls: mutualTls('latency-extender'),
  logLevel,
});

export type LatencySchedulingConfig = z.infer<typeof latencySchedulingSchema>;
