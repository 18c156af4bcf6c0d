/** The part of a question that was recognised, and what is left of it to be parsed. */
export interface Recalled {
  readonly names: readonly string[];
  /** The question with null in the place of the names. */
  readonly rest: string;
}

const ENDS = ['}\n', '}'] as const;

/**
 * The names of the last answer to /filter. kube-scheduler asks /prioritize about just these, in the same words, so that
 * they need be neither parsed nor looked up by their letters again.
 */
export class SentNames {
  #json = '';
  #names: readonly string[] = [];

  /** @param json `"NodeNames":[...]`, as it is sent. */
  remember(json: string, names: readonly string[]): void {
    this.#json = json;
    this.#names = names;
  }

  /**
   * What a question ends with, if that is what was sent. Within a JSON string the quotes would be escaped, so that it
   * can only be the last field of an object.
   */
  recall(text: string): Recalled | undefined {
    const json = this.#json;
    if (json === '') return undefined;
    const end = ENDS.find((one) => text.endsWith(one)) ?? '';
    const from = text.length - end.length - json.length;
    if (end === '' || from < 1 || text.slice(from, from + json.length) !== json) return undefined;
    return { names: this.#names, rest: `${text.slice(0, from)}"NodeNames":null}` };
  }
}
