import { expect, test } from 'vitest';
import { fillOf, inBytes, inUnits } from './quota';

const MB = 1024 ** 2;

test('bytes are said in the largest unit that fits, and come back', () => {
  const cases: [number, string, string][] = [
    [MB, '1', 'MB'],
    [1.5 * MB, '1.5', 'MB'],
    [1023 * MB, '1023', 'MB'],
    [1024 * MB, '1', 'GB'],
    [5 * 1024 ** 4, '5', 'TB'],
    [100 * 1024, '0.0976563', 'MB'],
  ];
  for (const [bytes, amount, unit] of cases) {
    expect([bytes, inUnits(bytes)]).toEqual([bytes, { amount, unit }]);
    expect(Math.abs((inBytes(inUnits(bytes)) ?? 0) / bytes - 1)).toBeLessThan(1e-5);
  }
  expect(inBytes(inUnits(1))).toBe(1);
});

test('only what a quota can be is taken', () => {
  expect(inBytes({ amount: ' 2,5 ', unit: 'GB' })).toBe(2.5 * 1024 ** 3);
  for (const amount of ['', ' ', '0', '-1', 'much', '1e9999', '0.0000000001', '99999999', 'NaN']) {
    expect([amount, inBytes({ amount, unit: amount === '99999999' ? 'TB' : 'MB' })]).toEqual([amount, null]);
  }
});

test('a space is nearly full from 80 %, and full from its quota on', () => {
  const is = (used: number) => fillOf(used, 1000).is;
  expect([0, 799, 800, 999, 1000, 2000].map(is)).toEqual([
    'roomy', 'roomy', 'nearly_full', 'nearly_full', 'full', 'full',
  ]);
  expect([fillOf(2000, 1000).percent, fillOf(250, 1000).percent]).toEqual([100, 25]);
});
