/** The fields that the forms before sign-in share. */
import { PasswordInput, Text, TextInput, type TextInputProps } from '@mantine/core';
import { useWords } from '../i18n/hooks';
import type { ApiError } from '../api/client';
import type { User } from '../api/types';
import { fieldRule, type FaultLike } from '../i18n/faults';
import type { Translate } from '../i18n/time';
import { PASSWORD_CHARS_MIN, passwordStrength, type Strength } from '../ui/password';

/** In the order in which forms have them. */
const FIELD_NAMES = ['workspace', 'name', 'username', 'email', 'phone', 'password', 'new_password', 'code', 'heir'] as const;
export type FieldName = (typeof FIELD_NAMES)[number];
export type FieldErrors = Partial<Record<FieldName, string>>;

/** Splits a refusal into words for the field it concerns, or a fault for the whole form. */
export function placeError(
  t: Translate,
  words: (fault: FaultLike) => string,
  error: ApiError,
): { fields: FieldErrors; fault: FaultLike | null } {
  switch (error.code) {
    case 'username_taken':
      return { fields: { username: words(error) }, fault: null };
    case 'wrong_code':
      return { fields: { code: words(error) }, fault: null };
    case 'heir_needed':
      return { fields: { heir: words(error) }, fault: null };
    case 'email_taken':
      return { fields: { email: words(error) }, fault: null };
    case 'bad_request': {
      const field = String(error.params['field'] ?? '');
      if (isField(field)) {
        return { fields: { [field]: fieldRule(t, field) ?? words(error) }, fault: null };
      }
      return { fields: {}, fault: error };
    }
    default:
      return { fields: {}, fault: error };
  }
}

function isField(name: string): name is FieldName {
  return FIELD_NAMES.some((known) => known === name);
}

/** Puts the caret into the first field that has an error: in the dialog on top, if one is open. */
export function focusFirst(errors: FieldErrors): void {
  const first = FIELD_NAMES.find((name) => errors[name] !== undefined);
  if (first === undefined) return;
  const top = [...document.querySelectorAll('[role="dialog"]')].at(-1) ?? document;
  top.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
}

interface FieldProps {
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

export function Field({
  name,
  onChange,
  ...rest
}: FieldProps & { name: FieldName } & Omit<TextInputProps, 'onChange' | 'error'>) {
  return (
    <TextInput
      name={name}
      onChange={(event) => onChange(event.currentTarget.value)}
      spellCheck={false}
      autoCapitalize={name === 'name' || name === 'workspace' ? 'words' : 'none'}
      {...rest}
    />
  );
}

export function UsernameField({ hint, ...rest }: FieldProps & { hint?: boolean; autoFocus?: boolean }) {
  const { t } = useWords();
  return (
    <Field
      name="username"
      label={t('auth.username')}
      description={hint === true ? t('auth.username_hint') : undefined}
      autoComplete="username"
      required
      withAsterisk={false}
      {...rest}
    />
  );
}

/** `fresh`: one that is chosen here, and not the one that somebody has. */
export function PasswordField({
  value,
  onChange,
  error,
  fresh,
  name = 'password',
  label,
}: FieldProps & { fresh: boolean; name?: 'password' | 'new_password'; label?: string }) {
  const { t } = useWords();
  return (
    <div>
      <PasswordInput
        name={name}
        label={label ?? t('auth.password')}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={error}
        autoComplete={fresh ? 'new-password' : 'current-password'}
        required
        withAsterisk={false}
        aria-describedby={fresh ? 'password-strength' : undefined}
        visibilityToggleButtonProps={{ 'aria-label': t('auth.show_password'), tabIndex: 0 }}
      />
      {fresh && <StrengthWords password={value} />}
    </div>
  );
}

/** The password that somebody has, for what takes more than a sign-in; nothing for those without one. */
export function PresentPassword({ user, ...rest }: FieldProps & { user: User }) {
  const { t } = useWords();
  if (!user.has_password) return null;
  return <PasswordField label={t('settings.password_now')} fresh={false} {...rest} />;
}

/** A code of the second factor, or one that stands in for it. */
export function CodeField({ hint, ...rest }: FieldProps & { hint: string; autoFocus?: boolean }) {
  const { t } = useWords();
  return (
    <Field
      name="code"
      label={t('factor.code')}
      description={hint}
      autoComplete="one-time-code"
      maxLength={40}
      {...rest}
    />
  );
}

const BARS: Record<Strength, number> = { short: 0, weak: 1, fair: 2, good: 3, strong: 4 };

function StrengthWords({ password }: { password: string }) {
  const { t } = useWords();
  const strength = passwordStrength(password);
  const empty = password === '';
  const filled = empty ? 0 : BARS[strength];
  const color =
    strength === 'short' || strength === 'weak'
      ? 'var(--weft-warn)'
      : strength === 'fair'
        ? 'var(--weft-dim)'
        : 'var(--weft-ok)';
  const text =
    empty || strength === 'short'
      ? t('auth.strength.short', { min: PASSWORD_CHARS_MIN })
      : t(`auth.strength.${strength}`);
  return (
    <div id="password-strength" style={{ marginTop: 6 }}>
      <div aria-hidden="true" style={{ display: 'flex', gap: 4 }}>
        {[1, 2, 3, 4].map((bar) => (
          <span
            key={bar}
            style={{
              flex: 1,
              height: 4,
              borderRadius: 2,
              background: bar <= filled ? color : 'var(--weft-hairline)',
            }}
          />
        ))}
      </div>
      <Text fz={12} mt={4} c={empty ? 'dimmed' : color} aria-live="polite">
        {empty ? t('field.password_rule') : text}
      </Text>
    </div>
  );
}
