/** A message of the socket is one or more frames: varint length, then that many bytes. */

/** Bytes of the other side that are no frame, or say what cannot be. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
}

/** Lengths above this need more than 32 bits; no message is that long. */
const LENGTH_BYTES_MAX = 5;

/** @throws BadFrame if the bytes end within a frame or a length is no varint. */
export function splitFrames(message: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let at = 0;
  while (at < message.length) {
    let length = 0;
    let shift = 0;
    for (;;) {
      const byte = message[at];
      if (byte === undefined) throw new BadFrame(`message ends within a length, at byte ${at}`);
      if (shift >= 7 * LENGTH_BYTES_MAX) throw new BadFrame(`length too long, at byte ${at}`);
      at += 1;
      length += (byte & 0x7f) * 2 ** shift;
      shift += 7;
      if (byte < 0x80) break;
    }
    if (length > message.length - at) {
      throw new BadFrame(`frame of ${length} bytes at byte ${at}, but the message has ${message.length}`);
    }
    frames.push(message.subarray(at, at + length));
    at += length;
  }
  return frames;
}

export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  const parts: number[][] = frames.map((frame) => lengthBytes(frame.length));
  const size = frames.reduce((sum, frame, i) => sum + frame.length + (parts[i]?.length ?? 0), 0);
  const message = new Uint8Array(size);
  let at = 0;
  frames.forEach((frame, i) => {
    const head = parts[i] ?? [];
    message.set(head, at);
    message.set(frame, at + head.length);
    at += head.length + frame.length;
  });
  return message;
}

function lengthBytes(length: number): number[] {
  const bytes: number[] = [];
  let rest = length;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
