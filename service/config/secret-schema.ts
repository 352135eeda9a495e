import { z } from "zod";

export const secretReference = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
  .describe("Where a secret is: `{env: NAME}` or `{file: PATH}`. The secret itself never stands in this file.");
