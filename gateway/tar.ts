/** Tar archives of a few files, the same bytes for the same content: no times, no owners (POSIX ustar). */

export interface TarFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

const BLOCK = 512;

/** Two empty blocks end an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

export function tarEntries(files: readonly TarFile[]): Buffer {
  return Buffer.concat(
    files.flatMap((file) => [header(file), file.content, padding(file.content.length)]),
  );
}

function header({ name, mode, content }: TarFile): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`Too long for a tar archive: ${name}`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  // The checksum is made with spaces in its own place.
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padding(length: number): Buffer {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK);
}
