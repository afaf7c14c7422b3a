/** How long to wait before connecting again (docs/protocol.md, "Connection"). */

const FIRST_MS = 500;
const MAX_MS = 30_000;

/**
 * Milliseconds before attempt `attempt` (0 is the first after a loss): the first within
 * 0–500 ms, then from half to the whole of 1, 2, 4, … 30 s.
 */
export function backoffMs(attempt: number, random: () => number): number {
  if (attempt === 0) return random() * FIRST_MS;
  const whole = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return whole / 2 + (random() * whole) / 2;
}

/** What a server that goes away asks for is a lower bound; as much again at random is added. */
export function goodbyeMs(retryAfterMs: number, random: () => number): number {
  return retryAfterMs + random() * retryAfterMs;
}
