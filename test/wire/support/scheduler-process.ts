import { RunningService } from './running-service';

/** The scheduler, as a process of its own. */
export type SchedulerProcess = RunningService;
export const SchedulerProcess = {
  start: (env: Readonly<Record<string, string>>): Promise<RunningService> =>
    RunningService.start('cpu-scheduler', env),
};
