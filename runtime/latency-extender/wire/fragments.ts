import { EQUAL_EXTENDER_SCORE, MAX_EXTENDER_SCORE } from '../policy/extender-score';

/** How many names are kept; more than the largest cluster has. */
const MAX_NAMES = 20_000;

interface NameParts {
  /** The name as JSON. */
  readonly quoted: string;
  /** Its HostPriority as JSON, by score. */
  readonly byScore: (string | undefined)[];
}

/** The parts that answers are put together from, made once for each name: nothing is escaped on a request. */
export class Fragments {
  readonly #byName = new Map<string, NameParts>();

  /** A name as JSON. */
  quoted(name: string): string {
    return this.#of(name).quoted;
  }

  /** `{"Host":name,"Score":score}`. @param score a whole number 0..10. */
  hostPriority(name: string, score: number): string {
    const parts = this.#of(name);
    return (parts.byScore[score] ??= `{"Host":${parts.quoted},"Score":${score}}`);
  }

  /** That of a node while nothing is known of any. */
  equalPriority(name: string): string {
    return this.hostPriority(name, EQUAL_EXTENDER_SCORE);
  }

  #of(name: string): NameParts {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#byName.size >= MAX_NAMES) this.#byName.clear();
    const made = {
      quoted: JSON.stringify(name),
      byScore: new Array<string | undefined>(MAX_EXTENDER_SCORE + 1).fill(undefined),
    };
    this.#byName.set(name, made);
    return made;
  }
}
