import { readFileSync } from 'node:fs';
import type { ContainerInputs } from './container-schema';

export type Upload = NonNullable<ContainerInputs['uploads']>[number];

const BLOCK_BYTES = 512;

/** What an upload puts into its file. @throws Error unless exactly one source is given. */
export function uploadContent(upload: Upload): Buffer {
  const { content, contentBase64, source } = upload;
  const given = [content, contentBase64, source].filter((value) => value);
  if (given.length !== 1) {
    throw new Error(
      `upload of ${upload.file}: exactly one of content, contentBase64 and source must be set`,
    );
  }
  if (content) return Buffer.from(content);
  if (contentBase64) return Buffer.from(contentBase64, 'base64');
  return readFileSync(source ?? '');
}

/** A tar archive with the one file of an upload; its mode is `permissions`, or 0744 or 0644. */
export function uploadTar(upload: Upload, modifiedMs: number): Buffer {
  const content = uploadContent(upload);
  const mode = upload.permissions
    ? Number.parseInt(upload.permissions, 8)
    : upload.executable
      ? 0o744
      : 0o644;
  const padding = Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES);
  const end = Buffer.alloc(2 * BLOCK_BYTES);
  const header = tarHeader(upload.file.slice(1), mode, content.length, modifiedMs);
  return Buffer.concat([header, content, padding, end]);
}

/** A ustar header; a path of more than 100 bytes is split at a slash into prefix and name. */
function tarHeader(path: string, mode: number, size: number, modifiedMs: number): Buffer {
  const split = Buffer.byteLength(path) <= 100 ? 0 : path.indexOf('/', path.length - 100) + 1;
  const name = path.slice(split);
  const prefix = path.slice(0, Math.max(0, split - 1));
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(prefix) > 155) {
    throw new Error(`upload of /${path}: the path is too long`);
  }
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  header.write(name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(Math.floor(modifiedMs / 1000), 11), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\0' + '00', 257);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}
