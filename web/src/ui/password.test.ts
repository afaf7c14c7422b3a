import { expect, test } from 'vitest';
import { passwordStrength } from './password';

test.each([
  ['short', 'short'],
  ['12345678', 'weak'],
  ['87654321', 'weak'],
  ['aaaaaaaa', 'weak'],
  ['abcabcabc', 'weak'],
  ['password123', 'weak'],
  ['qwertyuiop', 'weak'],
  ['bluedoor7', 'fair'],
  ['blue-door-7', 'good'],
  ['correct horse battery', 'strong'],
  ['另一个足够长的密码', 'good'],
] as const)('%s is %s', (password, strength) => {
  expect(passwordStrength(password)).toBe(strength);
});
