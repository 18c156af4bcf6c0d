/**
 * The peers that a node measures to in a cycle: at most `count`, and the same for the same arguments in any order of
 * the peers. Each node puts the peers into an order of its own (by a hash of both names) and takes the next `count` in
 * each cycle, so that all nodes together ask each peer about equally often, and one node asks all of its n peers
 * within ceil(n / count) cycles. Never the node itself, never one twice.
 */
export function landmarksOf(
  self: string,
  peers: Iterable<string>,
  count: number,
  cycle: number,
): string[] {
  const others = [...new Set(peers)].filter((peer) => peer !== self);
  if (others.length <= count) return others.sort();
  const ordered = others
    .map((peer) => ({ peer, rank: hash(`${self}|${peer}`) }))
    .sort((a, b) => a.rank - b.rank || (a.peer < b.peer ? -1 : 1));
  const start = (cycle * count) % ordered.length;
  const chosen: string[] = [];
  for (let step = 0; step < count; step += 1) {
    const next = ordered[(start + step) % ordered.length];
    if (next !== undefined) chosen.push(next.peer);
  }
  return chosen.sort();
}

/** FNV-1a, 32 bits, with a last mix so that names that differ at their end only are spread as well. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
