/** An image's name in parts; `registry` is empty for the short names of Docker Hub. */
export interface Reference {
  registry: string;
  repository: string;
  tag: string;
}

const NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/**
 * The parts of `registry:5000/repository:tag`; without a tag it is `latest`.
 *
 * @throws Error when it is not a valid image name.
 */
export function parseReference(text: string): Reference {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  // As in Docker: the first part is a registry when it cannot be a folder of Docker Hub.
  const registry = /[.:]/.test(first) || first === 'localhost' ? first : '';
  const rest = registry === '' ? text : text.slice(slash + 1);
  const colon = rest.indexOf(':');
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? 'latest' : rest.slice(colon + 1);
  if (!NAME.test(repository) || !TAG.test(tag)) {
    throw new Error(`${JSON.stringify(text)} is not an image name such as registry/name:tag`);
  }
  return { registry, repository, tag };
}

/** The name with tag and digest, or nothing when it names no registry. */
export function withDigest(text: string, digest: string): string | undefined {
  const { registry, repository, tag } = parseReference(text);
  return registry === '' ? undefined : `${registry}/${repository}:${tag}@${digest}`;
}
