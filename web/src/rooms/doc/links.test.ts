import { expect, test } from 'vitest';
import { isLinkTarget, linkFrom } from './links';

test.each([
  ['https://a.example/x', 'https://a.example/x'],
  ['a.example', 'https://a.example'],
  ['a.example:8080/x?y#z', 'https://a.example:8080/x?y#z'],
  ['localhost:3000', 'https://localhost:3000'],
  ['lin@example.org', 'mailto:lin@example.org'],
  ['tel:+8613800138000', 'tel:+8613800138000'],
  ['例子.中国', 'https://例子.中国'],
  ['a。example', 'https://a.example'],
  ['javascript:alert(1)', null],
  ['JavaScript:alert(1)', null],
  ['data:text/html,x', null],
  ['file:///etc/passwd', null],
  ['two words.example', null],
  ['word', null],
  ['', null],
])('“%s” leads to %s', (typed, address) => {
  expect(linkFrom(typed)).toBe(address);
});

test('only harmless addresses are followed', () => {
  expect(isLinkTarget('javascript:alert(1)')).toBe(false);
  expect(isLinkTarget('https://a.example')).toBe(true);
});
