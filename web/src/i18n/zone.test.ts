import { expect, test } from 'vitest';
import { knownZone, zones } from './zone';

test('a zone that this browser does not know is left to it', () => {
  expect(knownZone('Asia/Shanghai')).toBe('Asia/Shanghai');
  expect(knownZone('Asia/Calcutta')).toBe('Asia/Calcutta');
  expect(knownZone('Mars/Olympus')).toBeUndefined();
  expect(knownZone(null)).toBeUndefined();
});

test('the zone that is set can always be seen', () => {
  expect(zones(null)).toContain('Europe/Berlin');
  expect(zones('Mars/Olympus')).toContain('Mars/Olympus');
  expect(zones('Europe/Berlin')).toEqual(zones(null));
});
