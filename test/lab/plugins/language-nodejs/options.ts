/** What `runtime.options` of Pulumi.yaml may say about how the program is run. */
export interface RuntimeOptions {
  /** Whether Pulumi registers ts-node itself; programs that bring their own loader set it to false. */
  typescript: boolean;
  tsconfig?: string;
  /** Arguments for `node`, before Pulumi's runner. */
  nodeargs: string[];
}

const KNOWN = ['typescript', 'tsconfig', 'nodeargs', 'production', 'packagemanager'];

/**
 * Reads runtime options the way the official host does.
 *
 * @throws Error naming the option that is unknown or has the wrong type. (The official host ignores
 *   unknown ones; the lab refuses what it does not implement.)
 */
export function parseOptions(options: Record<string, unknown>): RuntimeOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name)) {
      throw new Error(`runtime option ${name} is not known; known are ${KNOWN.join(', ')}`);
    }
  }
  const { typescript = true, tsconfig, nodeargs = '' } = options;
  if (typeof typescript !== 'boolean') throw new Error('typescript option must be a boolean');
  if (tsconfig !== undefined && typeof tsconfig !== 'string') {
    throw new Error('tsconfig option must be a string');
  }
  if (typeof nodeargs !== 'string') throw new Error('nodeargs option must be a string');
  return { typescript, tsconfig, nodeargs: splitWords(nodeargs) };
}

/**
 * Splits a command line into words as a shell does, without expanding anything: blanks part words,
 * single quotes keep all, double quotes keep all but `\"` and `\\`, a backslash keeps the next character.
 *
 * @throws Error when a quotation is not closed.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    const next = line.charAt(at + 1);
    const escapes = char === '\\' && (quote === undefined || (quote === '"' && /["\\]/.test(next)));
    if (escapes && next !== '') {
      word = (word ?? '') + next;
      at++;
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== undefined) throw new Error(`nodeargs: quotation ${quote} is not closed: ${line}`);
  if (word !== undefined) words.push(word);
  return words;
}
