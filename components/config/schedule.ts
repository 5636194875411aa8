import { z } from "zod";
import { field } from "./field";

/** Bounds of cron's five fields: minute, hour, day of the month, month, day of the week. */
const bounds = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

const minutesOfDay = 24 * 60;
/** Every combination of day and leap year comes within so many days. */
const daysLookedAt = 8 * 366;

/** Cron's five fields, in UTC; names of months and days are not taken. */
export const schedule = () =>
  field(
    'five fields of cron in UTC such as "17 1 * * *", at least once a year',
    z.string().refine((value) => parsed(value) !== undefined && longestGapHours(value) <= 366 * 24),
  );

/**
 * The longest time between two runs of a schedule, in hours, rounded up: what is older than that is late.
 * @returns Infinity where it never runs, as on the 30th of February
 */
export function longestGapHours(value: string): number {
  const fields = parsed(value);
  if (fields === undefined) return Infinity;
  const [minutes, hours, days, months, weekdays] = fields;
  const times = [...hours.values]
    .sort((a, b) => a - b)
    .flatMap((hour) => [...minutes.values].sort((a, b) => a - b).map((minute) => hour * 60 + minute));
  let longest = 0;
  let last: number | undefined;
  for (let day = 0; day < daysLookedAt; day++) {
    const date = new Date(Date.UTC(2024, 0, 1 + day));
    const ofMonth = days.values.has(date.getUTCDate());
    const ofWeek =
      weekdays.values.has(date.getUTCDay()) || (date.getUTCDay() === 0 && weekdays.values.has(7));
    // Cron's own rule: where both say something, either will do.
    const matches = days.any || weekdays.any ? ofMonth && ofWeek : ofMonth || ofWeek;
    if (!matches || !months.values.has(date.getUTCMonth() + 1)) continue;
    for (const time of times) {
      const now = day * minutesOfDay + time;
      longest = Math.max(longest, last === undefined ? 0 : now - last);
      last = now;
    }
  }
  return last === undefined || longest === 0 ? Infinity : Math.ceil(longest / 60);
}

interface CronField {
  readonly values: ReadonlySet<number>;
  /** Whether it begins with a star, and so leaves the decision to the other of the two fields about days. */
  readonly any: boolean;
}

type Fields = readonly [CronField, CronField, CronField, CronField, CronField];

function parsed(value: string): Fields | undefined {
  const words = value.split(" ");
  if (words.length !== bounds.length) return undefined;
  const fields = words.map((word, index) => valuesOf(word, bounds[index]));
  return fields.every((each) => each !== undefined) ? (fields as unknown as Fields) : undefined;
}

function valuesOf(
  word: string,
  [lowest, highest]: readonly [number, number] = [0, 0],
): CronField | undefined {
  const values = new Set<number>();
  for (const part of word.split(",")) {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return undefined;
    const [, first, end, every] = match;
    const from = first === undefined ? lowest : Number(first);
    const to = end !== undefined ? Number(end) : first === undefined || every !== undefined ? highest : from;
    const step = every === undefined ? 1 : Number(every);
    if (from < lowest || to > highest || from > to || step < 1) return undefined;
    for (let each = from; each <= to; each += step) values.add(each);
  }
  return { values, any: word.startsWith("*") };
}
