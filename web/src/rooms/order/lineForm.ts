/** What a person typed as a line, checked before it is sent. */
import { parsePrice, priceText } from '../../i18n/money';
import type { OrderLineInput } from '../../sync';

export interface LineDraft {
  name: string;
  price: string;
  stock: string;
}

export const EMPTY_DRAFT: LineDraft = { name: '', price: '', stock: '' };
export const NAME_CHARS_MAX = 100;

/** Keys of words for the fields that are wrong. */
export type DraftErrors = Partial<Record<keyof LineDraft, string>>;

export function draftOf(line: OrderLineInput): LineDraft {
  return {
    name: line.name,
    price: priceText(line.priceMinor),
    stock: line.stock === null ? '' : String(line.stock),
  };
}

export function readDraft(draft: LineDraft): { line: OrderLineInput } | { errors: DraftErrors } {
  const errors: DraftErrors = {};
  const name = draft.name.trim();
  if (name === '') errors.name = 'field.required';
  const priceMinor = parsePrice(draft.price);
  if (priceMinor === null) errors.price = 'order.price_bad';
  const stock = readStock(draft.stock);
  if (stock === undefined) errors.stock = 'order.stock_bad';
  if (Object.keys(errors).length > 0 || priceMinor === null || stock === undefined) return { errors };
  return { line: { name, priceMinor, stock } };
}

/** null: unlimited; undefined: no number. */
function readStock(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  return /^\d{1,7}$/.test(trimmed) ? Number(trimmed) : undefined;
}
