import { expect, test } from 'vitest';
import { match, type Sounds } from './match';

const SYLLABLES: Record<string, string> = { 季: 'ji', 度: 'du', 计: 'ji', 划: 'hua' };
const sounds: Sounds = (name) => [...name].map((char) => SYLLABLES[char] ?? char);
const score = (typed: string, name: string) => match(typed, name, sounds)?.score ?? null;

test('what fits better comes first', () => {
  const names = ['Plan', 'A plan', 'Explanation', 'Pencil land', 'Budget'];
  const found = names.map((name) => [name, score('plan', name)]);
  expect(found).toEqual([
    ['Plan', 100],
    ['A plan', 80],
    ['Explanation', 70],
    ['Pencil land', 10],
    ['Budget', null],
  ]);
});

test('Han is found by itself, by pinyin and by initials', () => {
  expect(score('计划', '季度计划')).toBe(70);
  expect(score('jdjh', '季度计划')).toBe(60);
  expect(score('jidu', '季度计划')).toBe(55);
  expect(score('jh', '季度计划')).toBe(50);
  expect(score('jihua', '季度计划')).toBe(45);
  expect(score('hj', '季度计划')).toBeNull();
  expect(score('Q4 j', 'Q4季度')).toBe(60);
});

test('without pinyin Han is still found by itself', () => {
  expect(match('jdjh', '季度计划', null)).toBeNull();
  expect(match('计划', '季度计划', null)?.at).toEqual([2, 4]);
});

test('full-width letters and spaces at the ends are as good', () => {
  expect(score(' ＰＬＡＮ ', 'plan')).toBe(100);
});

test('two letters here and there are not a find', () => {
  expect(score('pn', 'Plan')).toBeNull();
});
