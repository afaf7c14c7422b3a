import { useState } from 'react';
import { asApiError } from '../api/client';
import type { FaultLike } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import { focusFirst, placeError, type FieldErrors } from './fields';

export interface FormState {
  busy: boolean;
  fault: FaultLike | null;
  errors: FieldErrors;
  /** Shows errors that were found before sending. */
  refuse: (errors: FieldErrors) => void;
  /** Runs the call and turns a refusal into words; true if it went well. */
  run: (call: () => Promise<void>) => Promise<boolean>;
}

export function useForm(): FormState {
  const words = useWords();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<FaultLike | null>(null);
  const [errors, setErrors] = useState<FieldErrors>({});
  const refuse = (found: FieldErrors) => {
    setErrors(found);
    setFault(null);
    focusFirst(found);
  };
  const run = async (call: () => Promise<void>): Promise<boolean> => {
    setBusy(true);
    setFault(null);
    setErrors({});
    try {
      await call();
      return true;
    } catch (error) {
      const placed = placeError(words.t, words.fault, asApiError(error));
      setErrors(placed.fields);
      setFault(placed.fault);
      focusFirst(placed.fields);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, fault, errors, refuse, run };
}
