import { expect, test } from 'vitest';
import type { SaveState } from '../sync';
import { steady, type Steady } from './steady';

const saved: SaveState = { kind: 'saved', at: null };
const quiet: SaveState = { kind: 'saving', count: 1, slow: false, quiet: true };
const saving: SaveState = { kind: 'saving', count: 1, slow: false, quiet: false };

/** Feeds states at times and notes what is shown. */
function shown(...steps: [atMs: number, save: SaveState][]): string[] {
  let now: Steady = { shown: saved, sinceMs: 0 };
  return steps.map(([atMs, save]) => {
    now = steady(now, save, atMs).next;
    return now.shown.kind === 'saving' && now.shown.quiet ? 'quiet' : now.shown.kind;
  });
}

test('the tick goes at once and comes back no sooner than 600 ms later', () => {
  expect(shown([1000, quiet], [1100, saved], [1599, saved], [1600, saved])).toEqual([
    'quiet',
    'quiet',
    'quiet',
    'saved',
  ]);
});

test('steady typing shows no flicker', () => {
  expect(
    shown([1000, quiet], [1050, saved], [1200, quiet], [1250, saved], [1400, quiet], [1450, saved]),
  ).toEqual(['quiet', 'quiet', 'quiet', 'quiet', 'quiet', 'quiet']);
});

test('“Saving…” stays 600 ms from its own beginning', () => {
  expect(shown([1000, quiet], [1500, saving], [1700, saved], [2100, saved])).toEqual([
    'quiet',
    'saving',
    'saving',
    'saved',
  ]);
});

test('trouble is shown at once', () => {
  const failed: SaveState = { kind: 'failed', reason: 'store', count: 1, keepsHere: true };
  expect(shown([1000, quiet], [1001, failed])).toEqual(['quiet', 'failed']);
});
