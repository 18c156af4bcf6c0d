/** Says of a path, relative to the context with forward slashes, whether the build leaves it out. */
export type Ignores = (path: string) => boolean;

interface Rule {
  pattern: RegExp;
  keeps: boolean;
}

/** Reads a .dockerignore file: the last rule that matches a path, or a folder above it, decides. */
export function parseIgnoreFile(text: string): Ignores {
  const rules: Rule[] = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .flatMap((line) => {
      const keeps = line.trim().startsWith('!');
      const path = cleaned(keeps ? line.trim().slice(1) : line);
      return path === '' ? [] : [{ pattern: toRegExp(path), keeps }];
    });
  return (path) => {
    const above = path.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'));
    return rules.reduce(
      (left, { pattern, keeps }) => (above.some((part) => pattern.test(part)) ? !keeps : left),
      false,
    );
  };
}

/** Without blanks, `./`, doubled and outer slashes. */
function cleaned(line: string): string {
  const parts = line.trim().split('/');
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

/** `*` and `?` stay within one folder, `**` crosses folders, `[a-z]` is a class, `\` takes away a meaning. */
function toRegExp(pattern: string): RegExp {
  const source = pattern.replace(
    /\*\*\/|\*\*|\*|\?|\[\^?[^\]]+\]|\\.|[.+^$(){}|[\]\\]/g,
    (found) => {
      if (found === '**/') return '(?:.*/)?';
      if (found === '**') return '.*';
      if (found === '*') return '[^/]*';
      if (found === '?') return '[^/]';
      if (found.startsWith('[') && found.length > 1) return found;
      return found.startsWith('\\') && found.length > 1 ? `\\${found.slice(1)}` : `\\${found}`;
    },
  );
  return new RegExp(`^${source}$`);
}
