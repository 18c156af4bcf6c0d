/** Keys in Redis. All begin with `autoscaler:`; those of the workers are looked at by people, too. */
export const KEYS = {
  /** Hash: name of the worker -> WorkerRecord as JSON. */
  workers: 'autoscaler:workers',
  /** String: the number that was given last; INCR gives the next. */
  counter: 'autoscaler:workers:counter',
  /** String: names of the permanent workers, as a JSON array; written for people, never read. */
  permanent: 'autoscaler:workers:permanent',
  /** Hash: id -> Operation as JSON. The journal. */
  operations: 'autoscaler:operations',
  /** Hash: `up` and `down` -> when it last grew or shrank, ms since 1970. */
  scaled: 'autoscaler:scaled',
  /** List: ids of recent events, the latest first. */
  recent: 'autoscaler:events:recent',
  /** List: ids of events that the history has not got yet, the oldest first. */
  unsent: 'autoscaler:events:unsent',
  /** Hash: id -> ScalingEvent as JSON, of the two lists. */
  events: 'autoscaler:events',
  /** String for each key of a request: what it was answered, as JSON; gone after a day. */
  request: (key: string): string => `autoscaler:requests:${key}`,
} as const;
