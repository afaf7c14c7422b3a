/** How hard a password is to guess, in words. A hint only: the server sets the rule. */
export const PASSWORD_CHARS_MIN = 8;

export type Strength = 'short' | 'weak' | 'fair' | 'good' | 'strong';

const COMMON = /^(?:password|passw0rd|qwert\w*|abc\w*|iloveyou\w*|admin\w*|letmein\w*|welcome\w*)\d*$/i;
/** A repeat of up to three characters, such as `aaaaaaaa` or `abcabcabc`. */
const REPEATED = /^(.{1,3})\1+$/u;

export function passwordStrength(password: string): Strength {
  const chars = [...password];
  if (chars.length < PASSWORD_CHARS_MIN) return 'short';
  if (COMMON.test(password) || REPEATED.test(password) || isRun(chars)) return 'weak';
  const kinds =
    Number(/[a-z]/.test(password)) +
    Number(/[A-Z]/.test(password)) +
    Number(/\d/.test(password)) +
    Number(/[^A-Za-z0-9]/.test(password));
  const distinct = new Set(chars).size;
  if (distinct < 5) return 'weak';
  // A Han character is harder to guess than a letter.
  const han = chars.filter((char) => /\p{Script=Han}/u.test(char)).length;
  const score = chars.length + han + 2 * kinds;
  if (score < 13) return 'weak';
  if (score < 17) return 'fair';
  if (score < 22) return 'good';
  return 'strong';
}

/** Characters that only count up or down: 12345678, hgfedcba. */
function isRun(chars: string[]): boolean {
  const codes = chars.map((char) => char.codePointAt(0) ?? 0);
  const steps = new Set(codes.slice(1).map((code, index) => code - (codes[index] ?? 0)));
  return steps.size === 1 && (steps.has(1) || steps.has(-1));
}
