import type { Checkout } from './checkout';

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

/** Runs the command and reads what it prints. */
export async function readStatus(checkout: Checkout): Promise<Status> {
  return JSON.parse((await checkout.npm('status', ['--json'])).stdout) as Status;
}
