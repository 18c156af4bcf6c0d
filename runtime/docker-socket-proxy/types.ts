import type { WorkerMould } from '../autoscaler/containers/worker-template';

/** What is allowed: workers of this mould and nothing else. */
export interface Rules {
  readonly mould: WorkerMould;
  /** The archive with the files of every worker; undefined where there are none. */
  readonly files: Buffer | undefined;
}

/** A request as it came. */
export interface Asked {
  readonly method: string;
  /** As it was sent, nothing decoded, the query left out. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** What a request comes to. `container` is a name or an id, of which it is not known yet whose it is. */
export type Action =
  | { readonly kind: 'list' }
  | { readonly kind: 'create'; readonly name: string; readonly operation: string }
  | { readonly kind: 'files'; readonly container: string }
  | { readonly kind: 'start'; readonly container: string }
  | { readonly kind: 'stop'; readonly container: string; readonly seconds: number }
  | { readonly kind: 'remove'; readonly container: string };

/** Whether a request may pass; if not, why. */
export type Verdict =
  | { readonly allowed: true; readonly action: Action }
  | { readonly allowed: false; readonly why: string };
