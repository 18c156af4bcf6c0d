/**
 * A binary heap of items whose order can change. `set` and `delete` cost O(log n),
 * `rebuild` O(n). Walking the first k items in order costs O(k log k) and changes nothing.
 */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #places = new Map<T, number>();

  /** @param before whether a comes strictly before b; a total order, so that ties are no matter of chance. */
  constructor(private readonly before: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.#items.length;
  }

  /** Adds the item, or moves it to where its key now belongs. */
  set(item: T): void {
    let place = this.#places.get(item);
    if (place === undefined) {
      place = this.#items.length;
      this.#items.push(item);
      this.#places.set(item, place);
    }
    this.#down(this.#up(place));
  }

  /** Takes out the first; undefined when there is none. */
  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.delete(first);
    return first;
  }

  delete(item: T): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#places.delete(item);
    const last = this.#items.pop() as T;
    if (place === this.#items.length) return;
    this.#put(place, last);
    this.#down(this.#up(place));
  }

  /** Puts every item in its place again, after many keys have changed. */
  rebuild(): void {
    for (let place = (this.#items.length >> 1) - 1; place >= 0; place--) this.#down(place);
  }

  /** The items, least first. The heap must not change while it is walked. */
  *ascending(): Generator<T> {
    // A heap of places whose parents were all given out already: the next item is always among them.
    const open: number[] = this.#items.length > 0 ? [0] : [];
    while (open.length > 0) {
      const place = open[0] as number;
      const last = open.pop() as number;
      if (open.length > 0) {
        open[0] = last;
        this.#siftOpen(open);
      }
      yield this.#items[place] as T;
      for (const child of [2 * place + 1, 2 * place + 2]) {
        if (child < this.#items.length) this.#pushOpen(open, child);
      }
    }
  }

  #put(place: number, item: T): void {
    this.#items[place] = item;
    this.#places.set(item, place);
  }

  #up(from: number): number {
    let place = from;
    const item = this.#items[place] as T;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#items[parent] as T;
      if (!this.before(item, above)) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, item);
    return place;
  }

  #down(from: number): void {
    let place = from;
    const item = this.#items[place] as T;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#items.length) break;
      const right = child + 1;
      if (
        right < this.#items.length &&
        this.before(this.#items[right] as T, this.#items[child] as T)
      ) {
        child = right;
      }
      const below = this.#items[child] as T;
      if (!this.before(below, item)) break;
      this.#put(place, below);
      place = child;
    }
    this.#put(place, item);
  }

  #pushOpen(open: number[], value: number): void {
    let at = open.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#openBefore(open, at, parent)) return;
      this.#swapOpen(open, at, parent);
      at = parent;
    }
  }

  #siftOpen(open: number[]): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= open.length) return;
      if (child + 1 < open.length && this.#openBefore(open, child + 1, child)) child += 1;
      if (!this.#openBefore(open, child, at)) return;
      this.#swapOpen(open, child, at);
      at = child;
    }
  }

  #openBefore(open: number[], a: number, b: number): boolean {
    return this.before(this.#items[open[a] as number] as T, this.#items[open[b] as number] as T);
  }

  #swapOpen(open: number[], a: number, b: number): void {
    const kept = open[a] as number;
    open[a] = open[b] as number;
    open[b] = kept;
  }
}
