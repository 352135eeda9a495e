/** Amounts of money as people read them. Pure. */

/** Hours of a month, as vendors count them: a twelfth of 365 days. */
export const MONTH_HOURS = 730;

/** `$0.03`, `€1,204.50`, `less than $0.01`; never in more digits than one can pay. */
export function moneyWords(amount: number, currency: string): string {
  const format = formatOf(currency);
  const least = 10 ** -(format.resolvedOptions().maximumFractionDigits ?? 2);
  if (amount > 0 && amount < least) return `less than ${format.format(least)}`;
  return format.format(amount);
}

function formatOf(currency: string): Intl.NumberFormat {
  return new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
}
