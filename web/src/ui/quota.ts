/** Bytes as people say them in a form, and how full a space is. */

export const UNITS = ['MB', 'GB', 'TB'] as const;
export type Unit = (typeof UNITS)[number];

const BYTES: Readonly<Record<Unit, number>> = { MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };
/** Of the digits of an amount: as many as anybody reads. */
const DIGITS = 6;

export interface Amount {
  /** As it stands in the field. */
  readonly amount: string;
  readonly unit: Unit;
}

/** In the largest unit of which it is one at least. */
export function inUnits(bytes: number): Amount {
  const unit = UNITS.findLast((one) => bytes >= BYTES[one]) ?? 'MB';
  return { amount: String(Number((bytes / BYTES[unit]).toPrecision(DIGITS))), unit };
}

/** Null: no amount that a quota can be. */
export function inBytes({ amount, unit }: Amount): number | null {
  const text = amount.trim().replace(',', '.');
  const bytes = Math.round(Number(text) * BYTES[unit]);
  return text !== '' && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}

/** From this share of its quota on a space is nearly full; the server tells those who manage it then. */
const NEARLY_FULL_PERCENT = 80;

export interface Fill {
  /** 0 to 100, for a bar. */
  readonly percent: number;
  readonly is: 'roomy' | 'nearly_full' | 'full';
}

export function fillOf(used: number, quota: number): Fill {
  const percent = Math.min(100, (used / quota) * 100);
  if (used >= quota) return { percent: 100, is: 'full' };
  return { percent, is: percent >= NEARLY_FULL_PERCENT ? 'nearly_full' : 'roomy' };
}
