/** Both languages say everything that the code and the server's codes ask for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import i18next from 'i18next';
import { beforeAll, describe, expect, test } from 'vitest';
import { en } from './en';
import { faultText } from './faults';
import { formatWait, type Translate } from './time';
import { zh } from './zh';

const SRC = join(import.meta.dirname, '..');
const DOCS = join(SRC, '..', '..', 'docs');

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'generated' ? [] : sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** `x_one` and `x_other` are one key `x` to the code. */
function bases(keys: string[]): Set<string> {
  return new Set(keys.map((key) => key.replace(/_(?:one|other)$/, '')));
}

const places = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1] ?? '');

test('both languages have the same keys', () => {
  const english = bases(Object.keys(en));
  const chinese = bases(Object.keys(zh));
  expect([...english].filter((key) => !chinese.has(key))).toEqual([]);
  expect([...chinese].filter((key) => !english.has(key))).toEqual([]);
});

test('a counted phrase has one and other in English', () => {
  const keys = new Set(Object.keys(en));
  const lone = [...keys].filter((key) => {
    if (key.endsWith('_one')) return !keys.has(key.replace(/_one$/, '_other'));
    return key.endsWith('_other') && !keys.has(key.replace(/_other$/, '_one'));
  });
  expect(lone).toEqual([]);
});

test('both languages fill in the same things', () => {
  const twin: Record<string, string> = zh;
  const differing = Object.entries(en)
    .filter(([key]) => !key.endsWith('_one'))
    .filter(([key, text]) => {
      const here = new Set(places(text));
      const there = new Set(places(twin[key] ?? ''));
      return here.size !== there.size || [...here].some((name) => !there.has(name));
    })
    .map(([key]) => key);
  expect(differing).toEqual([]);
});

test('every key in the code has words', () => {
  const known = bases(Object.keys(en));
  const missing: string[] = [];
  for (const path of sources(SRC)) {
    const code = readFileSync(path, 'utf8');
    for (const [, key] of code.matchAll(/\bt\(\s*'([^']+)'/g)) {
      if (key !== undefined && !known.has(key)) missing.push(`${path}: ${key}`);
    }
    // Keys with a part filled in: something must begin and end like it.
    for (const [, head, tail] of code.matchAll(/\bt\(\s*`([^`$]*)\$\{[^}]*\}([^`$]*)`/g)) {
      const fits = [...known].some((key) => key.startsWith(head ?? '') && key.endsWith(tail ?? ''));
      if (!fits) missing.push(`${path}: ${head}…${tail}`);
    }
  }
  expect(missing).toEqual([]);
});

test('every key is used', () => {
  const code = sources(SRC)
    .filter((path) => !/i18n[/\\](?:en|zh)\.ts$/.test(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const heads = [...code.matchAll(/`([a-z_.]+[._])\$\{/g)].map((match) => match[1] ?? '');
  const unused = [...bases(Object.keys(en))].filter(
    (key) => !code.includes(`'${key}'`) && !heads.some((head) => key.startsWith(head)),
  );
  expect(unused).toEqual([]);
});

test('Chinese addresses people as 你 and does not shout', () => {
  const wrong = Object.entries(zh).filter(([, text]) => /[您！!,?;]|\.\.\./.test(text));
  expect(wrong.filter(([, text]) => !/\w, /.test(text))).toEqual([]);
});

describe.each(['en', 'zh'] as const)('codes of faults in %s', (language) => {
  let t: Translate;
  const exists = (key: string) => i18next.exists(key);

  beforeAll(async () => {
    await i18next.init({
      lng: language,
      resources: { en: { translation: en }, zh: { translation: zh } },
      keySeparator: false,
      nsSeparator: false,
    });
    t = (key, params) => String(i18next.t(key, params ?? {}));
  });

  const say = (code: string, params: Record<string, unknown> = {}) =>
    faultText(t, exists, { code, params }, (ms) => formatWait(t, ms));

  test.each(documentedCodes())('%s', (code) => {
    const words = say(code);
    expect(words).not.toBe(t('error.generic', { code }));
    expect(words).not.toContain('{{');
    expect(words.length).toBeGreaterThan(4);
  });

  test('an unknown code is named', () => {
    expect(say('flux_capacitor')).toContain('flux_capacitor');
  });
});

/** From the tables of docs/api.md and docs/protocol.md, and the codes of the sync part itself. */
function documentedCodes(): string[] {
  const api = readFileSync(join(DOCS, 'api.md'), 'utf8');
  const statuses = [...api.matchAll(/^\| [45]\d\d \| (.+) \|$/gm)].map((match) => match[1] ?? '');
  const fromApi = statuses.flatMap((row) =>
    [...row.replace(/\([^)]*\)/g, '').matchAll(/`([a-z_]+)`/g)].map((match) => match[1] ?? ''),
  );
  const protocol = readFileSync(join(DOCS, 'protocol.md'), 'utf8');
  const table = protocol.slice(protocol.indexOf('## Codes of faults'));
  const fromProtocol = [...table.matchAll(/^\| `([a-z_.]+)` \|/gm)].map((match) => match[1] ?? '');
  expect(fromApi.length).toBeGreaterThan(15);
  expect(fromProtocol.length).toBeGreaterThan(25);
  // What the sign-in page is told in its address.
  const told = api.slice(api.indexOf('Behind `failed=`')).split('\n\n')[0] ?? '';
  const fromAddress = [...told.matchAll(/`([a-z_]+)`/g)].map((match) => match[1] ?? '');
  expect(fromAddress.length).toBeGreaterThan(10);
  const own = ['network', 'silent', 'client_retired', 'replaced', 'unreadable', 'closed'];
  return [...new Set([...fromApi, ...fromProtocol, ...fromAddress, ...own])];
}
