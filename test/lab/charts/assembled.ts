import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { LabContext } from '../context';

/** The lab's charts that are put together from the templates here and from parts of upstream's sources. */
type AssembledChart = 'keda' | 'traefik';

/** Where a lab's own copy of a chart lies. */
export const chartFolder = (ctx: LabContext, chart: AssembledChart | 'metrics-server'): string =>
  path.join(ctx.root, 'charts', chart);

/** Begins a chart with the templates beside this file. */
export async function copyTemplates(chart: AssembledChart, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(path.join(__dirname, chart), folder, { recursive: true });
}
