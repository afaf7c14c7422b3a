/** The lists of Home, in the order in which they are offered. */
export const HOME_TABS = ['recent', 'starred', 'shared'] as const;
export type HomeTab = (typeof HOME_TABS)[number];

/** A list that an address names; undefined for any other text. */
export function homeTab(value: unknown): HomeTab | undefined {
  return HOME_TABS.find((tab) => tab === value);
}
