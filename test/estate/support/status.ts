import type { Checkout } from './checkout';
import { waitUntil } from './wait-until';

/** What `npm run status -- --json` prints. */
export interface Status {
  readonly nodes: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly eligible: boolean;
    readonly slot: number | null;
    readonly cpuRatio: number | null;
  }[];
  readonly jobs: readonly {
    readonly name: string;
    readonly phase: string;
    readonly node: string | null;
    readonly images: number | null;
    readonly good: number | null;
    readonly bad: number | null;
    readonly noPose: number | null;
    readonly seconds: number | null;
  }[];
  readonly scaledJobs: readonly {
    readonly name: string;
    readonly mode: string;
    readonly phase: string;
    readonly node: string | null;
    readonly slot: number | null;
    readonly completed: number;
    readonly images: number | null;
    readonly good: number | null;
    readonly bad: number | null;
    readonly noPose: number | null;
    readonly why: string | null;
  }[];
  readonly autoscaling: {
    readonly unanswered: string | null;
    readonly workers: readonly { readonly name: string; readonly kind: string }[];
  } | null;
  readonly services: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly image: string;
  }[];
}

/** Waits until it says that all nodes and services are ready: on a busy machine a probe may be late. @returns what it says */
export async function readyStatus(checkout: Checkout): Promise<Status> {
  let seen: unknown;
  return waitUntil(
    'all nodes and services to be ready',
    async () => {
      const status = await readStatus(checkout);
      const { nodes, services } = status;
      seen = [...nodes, ...services].filter(({ ready }) => !ready).map(({ name }) => name);
      return (
        nodes.every(({ ready }) => ready) &&
        services.length > 0 &&
        services.every(({ ready }) => ready) &&
        status
      );
    },
    { seen: () => seen },
  );
}

/** Runs the command and reads what it prints. */
export async function readStatus(checkout: Checkout): Promise<Status> {
  return JSON.parse((await checkout.npm('status', ['--json'])).stdout) as Status;
}
