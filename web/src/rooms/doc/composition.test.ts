import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isImeKey } from '../../ui/ime';
import { Composition } from './composition';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const said: string[] = [];
  const replica = { hold: (on: boolean) => void said.push(on ? 'hold' : 'release') };
  return { said, composition: new Composition(replica, () => undefined) };
}

test('holds from the start of a composition until the editor has read its end', () => {
  const { said, composition } = watched();
  composition.start();
  composition.endSoon();
  expect(said).toEqual(['hold']);
  vi.advanceTimersByTime(100);
  expect(said).toEqual(['hold', 'release']);
});

test('a composition right behind another keeps the hold', () => {
  const { said, composition } = watched();
  composition.start();
  composition.endSoon();
  vi.advanceTimersByTime(20);
  composition.start();
  vi.advanceTimersByTime(1_000);
  expect(said).toEqual(['hold']);
  composition.end();
  expect(said).toEqual(['hold', 'release']);
});

test('an end without a start says nothing', () => {
  const { said, composition } = watched();
  composition.endSoon();
  composition.end();
  vi.advanceTimersByTime(1_000);
  expect(said).toEqual([]);
});

test('Safari’s Enter that ended a composition belongs to the input method', () => {
  expect(isImeKey({ isComposing: false, keyCode: 229 })).toBe(true);
  expect(isImeKey({ isComposing: true, keyCode: 13 })).toBe(true);
  expect(isImeKey({ isComposing: false, keyCode: 13 })).toBe(false);
});
