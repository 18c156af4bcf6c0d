/** A command that docs/operations.md tells people to run. */
export interface GuideCommand {
  /** In one line. */
  readonly command: string;
  /** The test that runs it. */
  readonly test?: { readonly file: string; readonly title: string };
  /** Why none does. */
  readonly reason?: string;
}

const FENCE = /(?:<!-- (?<mark>[^\n]*) -->\n\n)?```sh\n(?<body>[^]*?)\n```/g;

/**
 * The commands of the guide in their order. Each fence has a comment above it: `run by FILE: "TITLE"` or `not run: REASON`.
 * @throws Error naming the commands of a fence without.
 */
export function guideCommands(text: string): GuideCommand[] {
  return [...text.matchAll(FENCE)].flatMap(({ groups }): GuideCommand[] => {
    const { mark = '', body = '' } = groups ?? {};
    const [, file, title] = /^run by (\S+): "(.+)"$/.exec(mark) ?? [];
    const [, reason] = /^not run: (.+)$/.exec(mark) ?? [];
    const lines = body
      .replaceAll(/(\\|\|)\n\s*/g, (cut) => (cut[0] === '|' ? '| ' : ''))
      .split('\n');
    if (reason !== undefined) return lines.map((command) => ({ command, reason }));
    if (file === undefined || title === undefined)
      throw new Error(`no test and no reason: ${lines.join('; ')}`);
    return lines.map((command) => ({ command, test: { file, title } }));
  });
}
