/** The dated price files: what a vendor lists, where and when that was read. */
import { readFileSync } from "node:fs";
import { z } from "zod";

const source = z.strictObject({
  /** Address of the page. */
  page: z.string().min(1),
  /** When it said so, `2026-11-22`. */
  date: z.iso.date(),
  note: z.string().min(1).optional(),
});

const amount = z.number().nonnegative();

/** An unknown region's price: that of another region, or of another price of the same region times a factor. */
const otherwise = z.union([
  z.strictObject({ region: z.string().min(1) }),
  z.strictObject({ times: z.number().positive(), of: z.string().min(1) }),
]);

const price = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]*$/),
    unit: z.enum(["vCPU-hours", "GiB-hours", "GiB-months", "GB-months", "GiB", "hours", "CU-hours", "unit-months"]),
    source,
    /** The same everywhere. */
    price: amount.optional(),
    regions: z.record(z.string(), amount).optional(),
    otherwise: otherwise.optional(),
  })
  .refine((one) => (one.price === undefined) !== (one.regions === undefined), 'needs either "price" or "regions"');

export const priceFile = z.strictObject({
  vendor: z.string().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/, "must be a currency of ISO 4217, such as USD"),
  /** When the file was last gone through. */
  date: z.iso.date(),
  prices: z.array(price),
});

export type PriceFile = z.infer<typeof priceFile>;
export type ListedPrice = PriceFile["prices"][number];

const FILES = ["aws", "local", "neon", "supabase"] as const;

/** Those that come with Stackling. Read anew, a few kilobytes, by each part that opens the prices. */
export function listedPrices(): readonly PriceFile[] {
  return FILES.map((name) => {
    const text = readFileSync(new URL(`./prices/${name}.json`, import.meta.url), "utf8");
    return priceFile.parse(JSON.parse(text));
  });
}
