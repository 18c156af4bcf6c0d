/** The experiment cannot go on, for a reason outside of it: its message says all. */
export class ExperimentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExperimentError';
  }
}
