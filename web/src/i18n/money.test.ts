import { expect, test } from 'vitest';
import { formatMoney, parsePrice, priceText } from './money';

test.each([
  [0, '¥0.00'],
  [5, '¥0.05'],
  [1800, '¥18.00'],
  [123450, '¥1,234.50'],
  [999999999999, '¥9,999,999,999.99'],
])('%i minor units are %s', (minor, text) => {
  expect(formatMoney('en', minor)).toBe(text);
  expect(formatMoney('zh', minor)).toBe(text);
});

test.each([
  ['18', 1800],
  ['18.5', 1850],
  ['18.50', 1850],
  ['¥18.50', 1850],
  ['￥ 1', null],
  ['1,234.50', 123450],
  ['18。5', 1850],
  ['0', 0],
  ['', null],
  ['-1', null],
  ['1.234', null],
  ['1e3', null],
  ['1000000', 100_000_000],
  ['1000000.01', null],
])('“%s” is a price of %s', (text, minor) => {
  expect(parsePrice(text)).toBe(minor);
});

test('a price is edited as it was typed', () => {
  expect(parsePrice(priceText(1805))).toBe(1805);
});
