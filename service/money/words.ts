/** Meters, quantities and small amounts in words of people. Pure. */
import type { DayRange } from "../../components/actual-cost.ts";
import { moneyWords } from "./amount.ts";
import { spanOfMonth } from "./month.ts";
import type { Basis } from "./rollup.ts";
import type { CostLine, Meter, Unit } from "./types.ts";

/** Who says so. */
export const BASIS_WORDS: Readonly<Record<Basis, string>> = {
  actual: "by the vendors' bills",
  estimated: "counted here, by the price file",
  both: "partly by the vendors' bills, else counted here",
};

export function meterWords(meter: Meter): string {
  return METER_WORDS[meter];
}

/** `1.2 h`, `850 MiB h`, `120 requests`: in whichever unit the number is one to read. */
export function quantityWords({ quantity, unit }: Pick<CostLine, "quantity" | "unit">): string {
  const [size, word] = scaleOf(unit).find(([least]) => quantity >= least) ?? scaleOf(unit).at(-1) ?? [1, unit];
  return `${few(quantity / size)} ${word}`;
}

/** As `moneyWords`, but an amount below one in digits enough to compare it with another. */
export function smallMoneyWords(amount: number, currency: string): string {
  if (amount === 0 || Math.abs(amount) >= 1) return moneyWords(amount, currency);
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
  const digits = (new Intl.NumberFormat("en", options).resolvedOptions().maximumFractionDigits ?? 2) + 2;
  const format = new Intl.NumberFormat("en", { ...options, minimumFractionDigits: digits });
  const least = 10 ** -digits;
  return amount > 0 && amount < least ? `< ${format.format(least)}` : format.format(amount);
}

/** `November 2026` of a whole month, else both days. */
export function spanWords({ from, to }: DayRange): string {
  const month = spanOfMonth(from.slice(0, 7));
  if (from !== month.from || to !== month.to) return from === to ? from : `${from} to ${to}`;
  return new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" }).format(Date.parse(from));
}

type Scale = readonly (readonly [size: number, word: string])[];

const MIB = 1 / 1024;
const CPU_TIME: Scale = [
  [1, "h"],
  [1 / 60, "min"],
  [1 / 3600, "s"],
];
const SCALES: Readonly<Partial<Record<Unit, Scale>>> = {
  "vCPU-hours": CPU_TIME,
  hours: CPU_TIME,
  "GiB-hours": [
    [1, "GiB h"],
    [MIB, "MiB h"],
  ],
  "GiB-months": [
    [1, "GiB months"],
    [MIB, "MiB months"],
    [MIB / 1024, "KiB months"],
  ],
  GiB: [
    [1, "GiB"],
    [MIB, "MiB"],
  ],
};

function scaleOf(unit: Unit): Scale {
  return SCALES[unit] ?? [[1, unit]];
}

function few(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString("en");
}

const METER_WORDS: Readonly<Record<Meter, string>> = {
  cpu: "CPU time",
  memory: "memory",
  disk: "files on disk",
  "load-balancer": "load balancer",
  logs: "logs",
  secrets: "secrets",
  "database-compute": "database, at work",
  "database-storage": "database, its data",
  requests: "requests",
  other: "other",
};
