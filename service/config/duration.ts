const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90s`, `30m`, `48h` or `14d`; undefined when the text is none of these. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^([1-9][0-9]{0,6})([smhd])$/.exec(text) ?? [];
  return amount && unit ? Number(amount) * (UNITS[unit] ?? 0) : undefined;
}
