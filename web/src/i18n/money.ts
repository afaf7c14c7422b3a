/** Money is whole minor units everywhere but on the screen. */
import { intlTag, type Language } from './index';

const CURRENCY = 'CNY';
const MINOR_PER_UNIT = 100;
/** Highest price a form takes; keeps sums far inside exact integers. */
const PRICE_MINOR_MAX = 100_000_000;

/** `¥1,234.50`. Never shortened. */
export function formatMoney(language: Language, minor: number | bigint): string {
  const exact = BigInt(minor);
  const units = exact / BigInt(MINOR_PER_UNIT);
  const cents = exact % BigInt(MINOR_PER_UNIT);
  const sign = exact < 0n ? '-' : '';
  const abs = (value: bigint): bigint => (value < 0n ? -value : value);
  const formatter = new Intl.NumberFormat(intlTag(language), {
    style: 'currency',
    currency: CURRENCY,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: 0,
    maximumFractionDigits: 0,
  });
  return `${sign}${formatter.format(abs(units))}.${abs(cents).toString().padStart(2, '0')}`;
}

/** What a person typed as a price, in minor units; null if it is no price. */
export function parsePrice(text: string): number | null {
  const plain = text.trim().replace(/^[¥￥]/, '').replace(/，/g, ',').replace(/．|。/g, '.');
  const match = /^(\d{1,9}|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,2}))?$/.exec(plain);
  if (!match) return null;
  const units = Number((match[1] ?? '').replaceAll(',', ''));
  const minor = units * MINOR_PER_UNIT + Number((match[2] ?? '').padEnd(2, '0'));
  return minor <= PRICE_MINOR_MAX ? minor : null;
}

/** The price as one would type it, for editing. */
export function priceText(minor: number): string {
  return `${Math.floor(minor / MINOR_PER_UNIT)}.${String(minor % MINOR_PER_UNIT).padStart(2, '0')}`;
}
