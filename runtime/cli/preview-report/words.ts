/** Names that a list shows before it says how many more there are. */
const MAX_NAMES = 4;

/** `2 nodes (node-2, node-3)`, or `node node-2` for one. */
export function several(what: string, names: readonly string[]): string {
  const [only] = names;
  if (names.length === 1 && only !== undefined) return `${what} ${only}`;
  return `${count(names.length, what)} (${listed(names)})`;
}

/** `node-1, node-2, node-3, node-4 and 5 more`. */
export function listed(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  if (more <= 1) return names.join(', ');
  return `${names.slice(0, MAX_NAMES).join(', ')} and ${more} more`;
}

/** `1 pod`, `2 pods`. */
export const count = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : 's'}`;
