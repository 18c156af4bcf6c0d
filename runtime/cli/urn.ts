/** The type of a resource as people say it: `docker:index/container:Container` is `docker Container`. */
export function shortType(type: string): string {
  const parts = type.split(':');
  if (parts.length < 3) return type;
  return `${parts[0]} ${parts.at(-1)}`;
}

/** The name at the end of a URN. */
export function nameOfUrn(urn: string): string {
  return urn.split('::').slice(3).join('::') || urn;
}

/** `docker Container node-1`. */
export function labelOf(type: string, urn: string): string {
  return `${shortType(type)} ${nameOfUrn(urn)}`;
}
