/** Digests by which two replicas are compared (R8): the first 8 bytes of a SHA-256. */
import { sha256 } from '@noble/hashes/sha2.js';

export const DIGEST_BYTES = 8;

export function digestOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).slice(0, DIGEST_BYTES);
}
