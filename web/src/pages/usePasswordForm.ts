import { ApiError } from '../api/client';
import { useWords } from '../i18n/hooks';
import { useForm, type FormState } from './useForm';

/** Runs a call that takes the password, and says so beside it if that is another. */
export function usePasswordForm(): FormState & { withPassword: (call: () => Promise<void>) => void } {
  const { t } = useWords();
  const form = useForm();
  const withPassword = (call: () => Promise<void>) =>
    void form.run(async () => {
      try {
        await call();
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 'wrong_credentials')) throw error;
        form.refuse({ password: t('settings.password_wrong') });
      }
    });
  return { ...form, withPassword };
}
