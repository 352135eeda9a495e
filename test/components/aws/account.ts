import process from "node:process";
import type { Account } from "../../../components/aws/account.ts";

/** An account whose every answer comes from `endpoint`. */
export function testAccount(endpoint: string): Account {
  process.env.STACKLING_TEST_AWS_ID = "AKIDTEST";
  process.env.STACKLING_TEST_AWS_SECRET = "not a secret";
  return {
    region: "eu-central-1",
    credentials: {
      accessKeyId: { env: "STACKLING_TEST_AWS_ID" },
      secretAccessKey: { env: "STACKLING_TEST_AWS_SECRET" },
    },
    endpoint,
  };
}
