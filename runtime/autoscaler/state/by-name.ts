import type { Followed } from '../ports';

interface Named {
  readonly uid: string;
  readonly namespace?: string;
  readonly name: string;
}

const keyOf = (name: string, namespace = ''): string => `${namespace}/${name}`;

/** Objects of a collection as they were last seen, by namespace and name. */
export class ByName<T extends Named> implements Followed<T> {
  readonly #objects = new Map<string, T>();

  /** @param onChange called after each change. */
  constructor(private readonly onChange: () => void = () => undefined) {}

  get(name: string, namespace?: string): T | undefined {
    return this.#objects.get(keyOf(name, namespace));
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  set(object: T): void {
    this.#objects.set(keyOf(object.name, object.namespace), object);
    this.onChange();
  }

  remove(object: T): void {
    const key = keyOf(object.name, object.namespace);
    // Deleted and made anew under its name, it is another one, which stays.
    if (this.#objects.get(key)?.uid !== object.uid) return;
    this.#objects.delete(key);
    this.onChange();
  }
}
