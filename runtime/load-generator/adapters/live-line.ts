import type { WriteStream } from 'node:tty';

const TERMINAL_MS = 250;
const PLAIN_MS = 5000;
const CLEAR_LINE = '\r\x1b[2K';

/** Shows a line that is rewritten on a terminal, and now and then a new one where the output is a file or a pipe. */
export class LiveLine {
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly out: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>,
    text: () => string,
  ) {
    this.timer = setInterval(
      () => {
        // A line that wraps could not be rewritten.
        if (out.isTTY) out.write(CLEAR_LINE + text().slice(0, (out.columns || 80) - 1));
        else out.write(`${text()}\n`);
      },
      out.isTTY ? TERMINAL_MS : PLAIN_MS,
    );
  }

  end(): void {
    clearInterval(this.timer);
    if (this.out.isTTY) this.out.write(CLEAR_LINE);
  }
}
