import { expect, test } from 'vitest';
import { en } from './en';
import { formatFull, formatWait, formatWhen, type Translate } from './time';
import { zh } from './zh';

function speaker(words: Record<string, string>): Translate {
  return (key, params = {}) => {
    const plural = params['count'] === 1 ? `${key}_one` : `${key}_other`;
    const text = words[key] ?? words[plural] ?? words[`${key}_other`] ?? key;
    return text.replace(/\{\{(\w+)\}\}/g, (_all, name: string) => String(params[name]));
  };
}

const ZONE = 'Asia/Shanghai';
const NOW = Date.parse('2026-11-22T14:30:00+08:00');

test.each([
  ['2026-11-22T14:29:30+08:00', 'just now', '刚刚'],
  ['2026-11-22T14:30:20+08:00', 'just now', '刚刚'],
  ['2026-11-22T14:25:00+08:00', '5 min ago', '5分钟前'],
  ['2026-11-22T13:31:00+08:00', '59 min ago', '59分钟前'],
  ['2026-11-22T13:30:00+08:00', '13:30', '13:30'],
  ['2026-11-22T00:00:00+08:00', '00:00', '00:00'],
  ['2026-11-21T23:59:00+08:00', 'Yesterday 23:59', '昨天 23:59'],
  ['2026-11-20T09:00:00+08:00', 'Nov 20', '11月20日'],
  ['2026-01-01T00:00:00+08:00', 'Jan 1', '1月1日'],
  ['2025-11-22T10:00:00+08:00', 'Nov 22, 2025', '2025年11月22日'],
  ['2026-11-29T14:30:00+08:00', 'Nov 29', '11月29日'],
])('%s reads as %s and %s', (at, english, chinese) => {
  expect(formatWhen(speaker(en), 'en', Date.parse(at), NOW, ZONE)).toBe(english);
  expect(formatWhen(speaker(zh), 'zh', Date.parse(at), NOW, ZONE)).toBe(chinese);
});

test('yesterday is a matter of the calendar, not of hours', () => {
  const justAfterMidnight = Date.parse('2026-11-22T00:30:00+08:00');
  const lateEvening = Date.parse('2026-11-21T23:10:00+08:00');
  expect(formatWhen(speaker(en), 'en', lateEvening, justAfterMidnight, ZONE)).toBe('Yesterday 23:10');
});

test('the full time names its zone', () => {
  expect(formatFull('en', NOW, ZONE)).toMatch(/Nov 22, 2026.*14:30:00.*GMT\+8/);
  expect(formatFull('zh', NOW, ZONE)).toMatch(/2026年11月22日.*14:30:00/);
});

test.each([
  [1, '1 second', '1 秒'],
  [1_500, '2 seconds', '2 秒'],
  [120_000, '120 seconds', '120 秒'],
  [121_000, '3 minutes', '3 分钟'],
])('a wait of %i ms is %s', (ms, english, chinese) => {
  expect(formatWait(speaker(en), ms)).toBe(english);
  expect(formatWait(speaker(zh), ms)).toBe(chinese);
});
