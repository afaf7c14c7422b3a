/** Times as people read them. `now` and the zone are arguments, so that tests can choose them. */
import { intlTag, type Language } from './index';

export type Translate = (key: string, params?: Record<string, unknown>) => string;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Day {
  year: number;
  month: number;
  day: number;
}

function dayOf(atMs: number, zone: string | undefined): Day {
  const parts = new Intl.DateTimeFormat('en-US', {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    timeZone: zone,
  }).formatToParts(atMs);
  const get = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return { year: get('year'), month: get('month'), day: get('day') };
}

function dayNumber(day: Day): number {
  return Math.round(Date.UTC(day.year, day.month - 1, day.day) / (24 * HOUR_MS));
}

function clock(atMs: number, zone: string | undefined): string {
  return new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: zone,
  }).format(atMs);
}

/**
 * `just now`, `5 min ago`, `14:05`, `Yesterday 14:05`, `Nov 22`, `Nov 22, 2025` and their Chinese
 * twins. A time up to a minute ahead (another clock) counts as now.
 */
export function formatWhen(
  t: Translate,
  language: Language,
  atMs: number,
  nowMs: number,
  zone?: string,
): string {
  const age = nowMs - atMs;
  if (age < MINUTE_MS && age > -MINUTE_MS) return t('time.now');
  if (age >= 0 && age < HOUR_MS) return t('time.minutes', { count: Math.floor(age / MINUTE_MS) });
  const at = dayOf(atMs, zone);
  const now = dayOf(nowMs, zone);
  const daysAgo = dayNumber(now) - dayNumber(at);
  if (daysAgo === 0) return clock(atMs, zone);
  if (daysAgo === 1) return t('time.yesterday', { time: clock(atMs, zone) });
  return new Intl.DateTimeFormat(intlTag(language), {
    month: language === 'zh' ? 'long' : 'short',
    day: 'numeric',
    ...(at.year === now.year ? {} : { year: 'numeric' as const }),
    timeZone: zone,
  }).format(atMs);
}

/** The whole time with its zone, for hover and focus. */
export function formatFull(language: Language, atMs: number, zone?: string): string {
  return new Intl.DateTimeFormat(intlTag(language), {
    year: 'numeric',
    month: language === 'zh' ? 'long' : 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    timeZone: zone,
  }).format(atMs);
}

/** A waiting time: whole seconds up to two minutes, then minutes, always rounded up. */
export function formatWait(t: Translate, waitMs: number): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  if (seconds <= 120) return t('time.seconds', { count: seconds });
  return t('time.wait_minutes', { count: Math.ceil(seconds / 60) });
}
