import { all, type Output, type Resource, secret } from "@pulumi/pulumi";
import { LocalSecret } from "../local/custom-resources.ts";
import type { SecretDefinition } from "../ports.ts";

/**
 * What the stack's own state holds, as one secret: values as they are given, and for the others random ones
 * that are made once and anew when their generation is raised.
 */
export function heldSecrets(
  parent: Resource,
  definitions: readonly SecretDefinition[],
  childName: (part: string) => string,
): Output<Readonly<Record<string, string>>> {
  const entries = definitions.map(({ name, value, generation }) => {
    const part = name.toLowerCase().replaceAll("_", "-");
    return [name, value ?? new LocalSecret(childName(part), { generation }, { parent }).value] as const;
  });
  return secret(all(Object.fromEntries(entries)));
}
