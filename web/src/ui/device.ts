/** What somebody signed in with, as far as a browser's name of itself tells. */

export interface Device {
  /** The browser, or a program's own name; null if there is none. */
  program: string | null;
  /** What it runs on; null if it does not say. */
  system: string | null;
}

/** Browsers that also name those they are made from come first. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/MicroMessenger\//, 'WeChat'],
  [/Edg(?:A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/(?:Firefox|FxiOS)\//, 'Firefox'],
  [/(?:Chrome|CriOS)\//, 'Chrome'],
  [/Version\/[\d.]+.* Safari\//, 'Safari'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Macintosh|Mac OS X/, 'Mac'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

export function deviceOf(userAgent: string): Device {
  const named = (table: typeof BROWSERS) => table.find(([sign]) => sign.test(userAgent))?.[1] ?? null;
  const own = /^[\w.-]+/.exec(userAgent)?.[0] ?? null;
  return { program: named(BROWSERS) ?? own, system: named(SYSTEMS) };
}
