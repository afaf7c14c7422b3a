/** Ids of rooms and people: 16 bytes on the wire, 26 letters of lower-case Crockford base32 elsewhere. */

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const TEXT_LEN = 26;

/** @throws RangeError if these are not 16 bytes. */
export function idToText(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`an id has 16 bytes, these are ${bytes.length}`);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let i = TEXT_LEN - 1; i >= 0; i--) text += LETTERS[Number((value >> BigInt(5 * i)) & 31n)];
  return text;
}

/** @throws RangeError if this is no id. */
export function idFromText(text: string): Uint8Array {
  // The first letter holds the top 3 bits alone.
  if (!isId(text)) throw new RangeError('not an id: 26 letters of lower-case Crockford base32 expected');
  let value = 0n;
  for (const letter of text) value = (value << 5n) | BigInt(LETTERS.indexOf(letter));
  const bytes = new Uint8Array(16);
  for (let i = 15; i >= 0; i--, value >>= 8n) bytes[i] = Number(value & 255n);
  return bytes;
}

export function isId(text: string): boolean {
  return /^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text);
}
