/**
 * The look of Weft as a Mantine theme. Contrast figures of every token are in `theme.test.ts`.
 */
import { createTheme, type CSSVariablesResolver } from '@mantine/core';

export const FONT_STACK =
  '-apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif';

export const SCHEME_KEY = 'weft.scheme';

/** Avatar, cursor and selection of a person, by colour number 1, 2, …; repeats after the last. */
export const PEOPLE_LIGHT = [
  '#000DB8', '#9E6D00', '#0A7E81', '#855FC2', '#1F4730', '#300C3A',
  '#7A4F5D', '#647650', '#490F01', '#934319', '#185B81', '#1F1F1F',
] as const;
export const PEOPLE_DARK = [
  '#92A9FA', '#9D8745', '#BEF6E6', '#9067FB', '#6ACA25', '#EBD3FC',
  '#F537A4', '#E5F707', '#CD8582', '#F7BD8F', '#4395B2', '#B7B7B7',
] as const;

/** CSS variable with the colour of a person's number (from 1). */
export function personColor(number: number): string {
  const index = ((Math.max(1, number) - 1) % PEOPLE_LIGHT.length) + 1;
  return `var(--weft-person-${index})`;
}

export const LIGHT = {
  text: '#1A1D21',
  dim: '#5A6270',
  page: '#FFFFFF',
  surface: '#F6F7F9',
  border: '#838C9A',
  hairline: '#E3E6EB',
  link: '#3B5BDB',
  filled: '#3B5BDB',
  ok: '#17703F',
  'ok-tint': '#E6F5EC',
  warn: '#8F5300',
  'warn-tint': '#FFF4E0',
  error: '#C02B2B',
  'error-tint': '#FDECEC',
  found: '#FFE58A',
  'found-text': '#1A1D21',
  selection: '#DDE4FF',
  'person-text': '#FFFFFF',
} as const;

export const DARK: Record<keyof typeof LIGHT, string> = {
  text: '#E6E8EB',
  dim: '#A3AAB5',
  page: '#1A1B1E',
  surface: '#25262B',
  border: '#737B87',
  hairline: '#34363C',
  link: '#91A7FF',
  filled: '#3B5BDB',
  ok: '#5FCB8E',
  'ok-tint': '#16331F',
  warn: '#F0B048',
  'warn-tint': '#3A2E14',
  error: '#FF8A8A',
  'error-tint': '#3D1F1F',
  found: '#D9B84A',
  'found-text': '#1A1B1E',
  selection: '#2B3568',
  'person-text': '#1A1B1E',
};

function schemeVariables(
  tokens: Record<string, string>,
  people: readonly string[],
): Record<string, string> {
  const variables: Record<string, string> = {
    '--mantine-color-text': 'var(--weft-text)',
    '--mantine-color-body': 'var(--weft-page)',
    '--mantine-color-dimmed': 'var(--weft-dim)',
    '--mantine-color-placeholder': 'var(--weft-dim)',
    '--mantine-color-anchor': 'var(--weft-link)',
    '--mantine-color-error': 'var(--weft-error)',
    '--mantine-color-default-border': 'var(--weft-border)',
    '--mantine-color-default': 'var(--weft-page)',
    '--mantine-color-default-hover': 'var(--weft-surface)',
    '--mantine-color-default-color': 'var(--weft-text)',
    '--mantine-color-disabled-color': 'var(--weft-dim)',
    '--mantine-color-disabled': 'var(--weft-surface)',
    '--mantine-primary-color-light-color': 'var(--weft-link)',
  };
  for (const [name, value] of Object.entries(tokens)) variables[`--weft-${name}`] = value;
  people.forEach((value, index) => {
    variables[`--weft-person-${index + 1}`] = value;
  });
  return variables;
}

export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: schemeVariables(LIGHT, PEOPLE_LIGHT),
  dark: schemeVariables(DARK, PEOPLE_DARK),
});

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'sm',
  radius: { xs: '2px', sm: '4px', md: '8px', lg: '8px', xl: '8px' },
  spacing: { xs: '4px', sm: '8px', md: '16px', lg: '24px', xl: '32px' },
  fontFamily: FONT_STACK,
  headings: { fontFamily: FONT_STACK, fontWeight: '600' },
  fontSizes: { xs: '12px', sm: '14px', md: '14px', lg: '16px', xl: '18px' },
  lineHeights: { xs: '1.5', sm: '1.5', md: '1.5', lg: '1.5', xl: '1.5' },
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Modal: {
      defaultProps: { centered: true, transitionProps: { duration: 240, transition: 'fade' } },
    },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: false, events: { hover: true, focus: true, touch: false } } },
    Menu: { defaultProps: { transitionProps: { duration: 120 }, shadow: 'md', withinPortal: true } },
    Popover: { defaultProps: { transitionProps: { duration: 120 }, shadow: 'md', withinPortal: true } },
  },
});
