/** Five-field cron expressions as EventBridge Scheduler takes them: AWS docs, "Cron-based schedules". Pure. */

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/**
 * One expression, or two where both days are given: cron means either, AWS takes only one of them.
 * The expression was checked where it was read.
 */
export function scheduleExpressions(cron: string): readonly string[] {
  const [minute = "*", hour = "*", day = "*", month = "*", weekday = "*"] = cron.trim().split(/\s+/);
  const write = (dayOfMonth: string, dayOfWeek: string) =>
    `cron(${minute} ${hour} ${dayOfMonth} ${month.toUpperCase()} ${dayOfWeek} *)`;
  if (weekday === "*") return [write(day, "?")];
  const byWeekday = write("?", weekdays(weekday));
  return day === "*" ? [byWeekday] : [write(day, "?"), byWeekday];
}

/** Written out by name, for AWS counts from 1 where cron counts from 0. */
function weekdays(field: string): string {
  const chosen = new Set(field.split(",").flatMap(expand));
  return DAYS.filter((_, day) => chosen.has(day)).join(",");
}

function expand(part: string): number[] {
  const [range = "*", step = "1"] = part.split("/");
  const [first = "*", last] = range.split("-");
  const from = first === "*" ? 0 : dayNumber(first);
  const open = first === "*" || (last === undefined && part.includes("/"));
  const to = last === undefined ? (open ? 6 : from) : dayNumber(last);
  const days: number[] = [];
  for (let day = from; day <= (to < from ? to + 7 : to); day += Number(step)) days.push(day % 7);
  return days;
}

function dayNumber(text: string): number {
  const named = DAYS.indexOf(text.slice(0, 3).toUpperCase());
  return named >= 0 ? named : Number(text);
}
