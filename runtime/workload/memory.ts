/** Memory that can be given back before it is collected: a resizable ArrayBuffer, which Node has since 20. */
export interface HeldMemory extends ArrayBuffer {
  resize(byteLength: number): void;
}

type Resizable = new (byteLength: number, options: { maxByteLength: number }) => HeldMemory;

/** Takes memory that the kernel really gives: what is only zero costs nothing until it is written to. */
export function takeMemory(bytes: number): HeldMemory {
  const memory = new (ArrayBuffer as unknown as Resizable)(bytes, { maxByteLength: bytes });
  new Uint8Array(memory).fill(1);
  return memory;
}

/** Gives the memory back to the kernel at once: otherwise it would stay until V8 sees a reason to collect it. */
export function giveBack(memory: HeldMemory | undefined): void {
  memory?.resize(0);
}
