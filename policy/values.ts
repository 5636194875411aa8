/** Tests on values, for `Judge.expect`. */

export const isAbsent = (value: unknown): boolean => value === undefined || value === null;

export const isPresent = (value: unknown): boolean => !isAbsent(value);

export const equals =
  (wanted: unknown) =>
  (value: unknown): boolean =>
    value === wanted;

export const absentOr =
  (wanted: unknown) =>
  (value: unknown): boolean =>
    isAbsent(value) || value === wanted;

export const absentOrNot =
  (refused: unknown) =>
  (value: unknown): boolean =>
    value !== refused;
