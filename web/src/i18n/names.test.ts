import { expect, test } from 'vitest';
import { initials, shownTitle } from './names';

test.each([
  ['Lin Yue', 'LY'],
  ['linyue', 'L'],
  ['an_bo', 'AB'],
  ['Mary Ann Lee', 'ML'],
  ['安博', '安博'],
  ['欧阳娜娜', '娜娜'],
  ['林 Yue', '林'],
  ['😀', '😀'],
  ['', '?'],
])('%s is shown as %s', (name, short) => {
  expect(initials(name)).toBe(short);
});

test('an empty title is untitled', () => {
  expect(shownTitle('  ', 'Untitled')).toBe('Untitled');
  expect(shownTitle('😀', 'Untitled')).toBe('😀');
});
