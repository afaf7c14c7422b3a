/** The rows of a tree, and what keys do in it. */
import { expect, test } from 'vitest';
import type { Folder, RoomInfo, Space, SpaceContent, SpaceKind } from '../../api/types';
import { canMove } from './drag';
import { treeFind, treeMove } from './keys';
import { keyOf, spaceRows, type Row } from './rows';

const space = (id: string, kind: SpaceKind, name: string): Space => ({
  id,
  kind,
  name,
  role: 'owner',
  members: 1,
  rules: { links: true, public_links: true, outsiders: true },
  archived_at: null,
  created_at: 0,
});
const folder = (id: string, parent: string | null): Folder => ({
  id,
  space: 'team',
  parent,
  name: id,
  right: 'manage',
  trashed_at: null,
});
const room = (title: string, at: string | null) =>
  ({ id: title, kind: 'doc', title, folder: at === null ? null : { id: at, name: at } }) as RoomInfo;

const team = space('team', 'team', 'Team');
const content: SpaceContent = {
  space: team,
  storage_used: null,
  quota: null,
  folders: [folder('plans', null), folder('q4', 'plans'), folder('art', null)],
  rooms: [room('top', null), room('deep', 'q4'), room('hidden', 'not mine to see')],
};

function rowsWith(open: string[]): Row[] {
  return spaceRows({
    spaces: [space('all', 'gallery', ''), team, space('me', 'personal', '')],
    contents: new Map([['team', content]]),
    isOpen: (key) => open.includes(key),
    names: { space: ({ kind, name }) => name || kind, room: ({ title }) => title },
    rooms: true,
  });
}

/** One line a row: level by indent, `+` closed, `-` open, then its place among its siblings. */
function drawn(rows: Row[]): string[] {
  return rows.map(({ level, open, name, position, siblings }) => {
    const mark = open === null ? ' ' : open ? '-' : '+';
    return `${' '.repeat(level - 1)}${mark}${name} ${position}/${siblings}`;
  });
}

const allOpen = [keyOf.space('team'), keyOf.folder('plans'), keyOf.folder('q4')];

test('my space, teams, the gallery; folders before rooms; what lies in a hidden folder at the top', () => {
  expect(drawn(rowsWith([]))).toEqual(['+personal 1/3', '+Team 2/3', '+gallery 3/3']);
  expect(drawn(rowsWith(allOpen))).toEqual([
    '+personal 1/3',
    '-Team 2/3',
    ' +art 1/4',
    ' -plans 2/4',
    '  -q4 1/1',
    '    deep 1/1',
    '  hidden 3/4',
    '  top 4/4',
    '+gallery 3/3',
  ]);
});

test('arrows, Home, End, Enter and * after the ARIA pattern', () => {
  const rows = rowsWith(allOpen);
  const key = (at: string, pressed: string) => treeMove(rows, at, pressed);
  expect(key(keyOf.folder('art'), 'ArrowDown')).toEqual({ to: keyOf.folder('plans') });
  expect(key(keyOf.folder('art'), 'ArrowUp')).toEqual({ to: keyOf.space('team') });
  expect(key(keyOf.space('me'), 'ArrowUp')).toBeNull();
  expect(key(keyOf.room('top'), 'Home')).toEqual({ to: keyOf.space('me') });
  expect(key(keyOf.room('top'), 'End')).toEqual({ to: keyOf.space('all') });
  expect(key(keyOf.folder('art'), 'ArrowRight')).toEqual({ open: [keyOf.folder('art')] });
  expect(key(keyOf.folder('q4'), 'ArrowRight')).toEqual({ to: keyOf.room('deep') });
  expect(key(keyOf.room('deep'), 'ArrowRight')).toBeNull();
  expect(key(keyOf.room('deep'), 'ArrowLeft')).toEqual({ to: keyOf.folder('q4') });
  expect(key(keyOf.folder('q4'), 'ArrowLeft')).toEqual({ close: keyOf.folder('q4') });
  expect(key(keyOf.space('team'), '*')).toEqual({ open: [keyOf.space('me'), keyOf.space('all')] });
  expect(key(keyOf.room('deep'), 'Enter')).toEqual({ activate: keyOf.room('deep') });
  expect(key(keyOf.room('deep'), 'q')).toBeNull();
});

test('typing leads to the next name that begins so, and around', () => {
  const rows = rowsWith(allOpen);
  expect(treeFind(rows, keyOf.folder('art'), 't')).toBe(keyOf.room('top'));
  expect(treeFind(rows, keyOf.room('top'), 't')).toBe(keyOf.space('team'));
  expect(treeFind(rows, keyOf.space('team'), 'TE')).toBe(keyOf.space('team'));
  expect(treeFind(rows, keyOf.space('team'), 'x')).toBeNull();
});

test('nothing is moved to where it is, nor a folder into itself', () => {
  const plans = { place: { space: 'team', folder: 'plans' }, name: '', path: ['plans'] };
  const q4 = { place: { space: 'team', folder: 'q4' }, name: '', path: ['plans', 'q4'] };
  const moved = { kind: 'folder', id: 'plans', name: '', at: { space: 'team', folder: null } } as const;
  const inPlans = { kind: 'room', id: 'plans', name: '', at: plans.place } as const;
  expect([canMove(moved, plans), canMove(moved, q4)]).toEqual([false, false]);
  expect([canMove(inPlans, plans), canMove(inPlans, q4)]).toEqual([false, true]);
});
