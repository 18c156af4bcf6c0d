/** Says on standard error what is being done, after how long: benches take minutes. */
export function progress(what: string): void {
  const seconds = performance.now() / 1000;
  process.stderr.write(`  [${seconds.toFixed(0).padStart(4)} s] ${what}\n`);
}
