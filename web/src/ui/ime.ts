/**
 * Whether a key belongs to an input method that is composing. Safari ends the composition before
 * the Enter that ended it, and says so only by key code 229.
 */
export function isImeKey(event: { isComposing?: boolean; keyCode?: number }): boolean {
  return event.isComposing === true || event.keyCode === 229;
}
