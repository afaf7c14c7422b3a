/** The audit log's words keep up with the server's codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Act } from '../api/types';
import { actSentence, ACTS } from './acts';
import { en } from './en';
import type { Translate } from './time';
import { zh } from './zh';

const AUDIT = join(import.meta.dirname, '../../../crates/weft-store/src/meta/audit.rs');

test('every act that the server notes has words', () => {
  const source = readFileSync(AUDIT, 'utf8');
  const block = source.slice(source.indexOf('\nacts! {'));
  const codes = [...block.matchAll(/^ {4}\w+ = "(\w+)",$/gm)].map((found) => found[1] ?? '');
  expect(codes.length).toBeGreaterThan(30);
  expect([...ACTS].sort()).toEqual(codes.sort());
  const own = codes.filter((code) => code !== 'sign_in_failed').map((code) => `audit.act.${code}`);
  const bases = (words: object) => Object.keys(words).map((key) => key.replace(/_(?:one|other)$/, ''));
  for (const words of [en, zh]) expect(bases(words)).toEqual(expect.arrayContaining(own));
});

const t: Translate = (key, params = {}) =>
  ((en as Record<string, string>)[key] ?? key).replace(/\{\{(\w+)\}\}/g, (_all, name: string) =>
    String(params[name] ?? '?'),
  );

const lin = { id: '1', username: 'lin', name: 'Lin Yue' };
const plain: Act = {
  id: 1,
  at: 0,
  act: 'granted',
  by: lin,
  person: { id: '2', username: 'an', name: 'An Bo' },
  room: { id: '3', title: '' },
  folder: null,
  space: null,
  params: { right: 'edit' },
  address: '127.0.0.1',
};
const say = (change: Partial<Act>) => actSentence(t, { ...plain, ...change });

test('sentences name who did what to whom', () => {
  expect(say({})).toBe('Lin Yue gave An Bo “Can edit” on “Untitled”');
  expect(say({ person: null, params: { right: 'read', to_space: 'Design' } })).toBe(
    'Lin Yue gave Design “Can view” on “Untitled”',
  );
  expect(say({ act: 'link_opened', by: null, params: { guest: 'Ann' } })).toBe(
    'Ann (guest) opened “Untitled” by its link',
  );
  expect(say({ act: 'rules_changed', params: { rule: 'links', value: false } })).toContain('Off');
  const space = { id: '4', name: 'Design' };
  expect(say({ act: 'quota_changed', room: null, space, params: { quota: 5 * 1024 ** 3 } })).toBe(
    'Lin Yue set the quota of “Design”: 5.0 GB',
  );
  expect(say({ act: 'setting_changed', params: { setting: 'team_quota', value: 'unlimited' } })).toBe(
    'Lin Yue changed a setting: Quota of team spaces: Unlimited',
  );
  expect(say({ act: 'from_the_future' })).toContain('from_the_future');
  expect(say({ act: 'second_factor_off', by: null, address: '' })).toContain('The server');
});
