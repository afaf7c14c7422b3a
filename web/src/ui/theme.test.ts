/** The contrasts that the look promises. */
import { describe, expect, test } from 'vitest';
import { DARK, LIGHT, PEOPLE_DARK, PEOPLE_LIGHT, personColor } from './theme';

function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe.each([
  ['light', LIGHT, PEOPLE_LIGHT],
  ['dark', DARK, PEOPLE_DARK],
] as const)('%s', (_name, tokens, people) => {
  test.each(['text', 'dim', 'link', 'ok', 'warn', 'error'] as const)('%s on the page', (name) => {
    expect(contrast(tokens[name], tokens.page)).toBeGreaterThanOrEqual(4.5);
  });
  test.each(['text', 'dim', 'link'] as const)('%s on surfaces', (name) => {
    expect(contrast(tokens[name], tokens.surface)).toBeGreaterThanOrEqual(4.5);
  });
  test.each(['ok', 'warn', 'error'] as const)('%s on its tint', (name) => {
    expect(contrast(tokens[name], tokens[`${name}-tint`])).toBeGreaterThanOrEqual(4.5);
  });
  test('text on selections, and on what was found', () => {
    expect(contrast(tokens.text, tokens.selection)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(tokens['found-text'], tokens.found)).toBeGreaterThanOrEqual(4.5);
    // Icons only: words on a selection are in the colour of text.
    expect(contrast(tokens.link, tokens.selection)).toBeGreaterThanOrEqual(3);
  });
  test('borders of controls and the focus ring', () => {
    expect(contrast(tokens.border, tokens.page)).toBeGreaterThanOrEqual(3);
    expect(contrast(tokens.link, tokens.page)).toBeGreaterThanOrEqual(3);
  });
  test('white on filled buttons', () => {
    expect(contrast('#FFFFFF', tokens.filled)).toBeGreaterThanOrEqual(4.5);
  });
  test.each([...people])('person %s on the page and under its flag’s words', (color) => {
    expect(contrast(color, tokens.page)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(tokens['person-text'], color)).toBeGreaterThanOrEqual(4.5);
  });
});

test('colours repeat from the thirteenth person on', () => {
  expect(personColor(1)).toBe('var(--weft-person-1)');
  expect(personColor(12)).toBe('var(--weft-person-12)');
  expect(personColor(13)).toBe('var(--weft-person-1)');
});
