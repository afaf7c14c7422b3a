/**
 * What the indicator shows, from what the sync layer says: calm, but never "Saved" too early.
 *
 * A change that has no acknowledgement yet takes the tick away at once (`quiet`: no word), the word
 * "Saving…" follows after half a second, and neither leaves again within {@link HOLD_MS}, so that
 * nothing flickers with each key.
 */
import type { SaveState } from '../sync';

export const HOLD_MS = 600;

export type Shown = SaveState;

export interface Steady {
  shown: Shown;
  sinceMs: number;
}

/** The next thing to show, and when to ask again (null: not before the next change). */
export function steady(before: Steady, save: SaveState, nowMs: number): { next: Steady; againMs: number | null } {
  const leaving = before.shown.kind === 'saving' && save.kind === 'saved';
  const until = before.sinceMs + HOLD_MS;
  if (leaving && nowMs < until) return { next: before, againMs: until - nowMs };
  const same = before.shown.kind === save.kind && isQuiet(before.shown) === isQuiet(save);
  return { next: { shown: save, sinceMs: same ? before.sinceMs : nowMs }, againMs: null };
}

export function isQuiet(save: SaveState): boolean {
  return save.kind === 'saving' && save.quiet;
}
