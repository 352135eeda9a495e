/** What the reader of a page has around the programs that it shows, by page: declared, for the type check to know. */
export const surroundings: Readonly<Record<string, string>> = {
  "docs/login.md": `
    import type { AuthConfig } from "@auth/core";
    import GitHub from "@auth/core/providers/github";
    import type { Response } from "express";
    import * as client from "openid-client";

    interface Login {
      readonly query: Readonly<Record<string, unknown>>;
      readonly session: { user?: string };
    }
    declare const app: { get(path: string, answer: (request: Login, response: Response) => void): void };
    declare function firstUse(id: string): Promise<boolean>;

    declare function NextAuth(config: Omit<AuthConfig, "raw">): { readonly handlers: object; readonly auth: object };

    declare const issuer: URL;
    declare const clientId: string;
    declare const clientSecret: string;
    declare const state: string;
    declare const code_challenge: string;
    declare const pkceCodeVerifier: string;
    declare const request: { readonly url: string };`,
  "docs/recipes/kafka.md": 'import { Kafka } from "kafkajs";',
  "docs/recipes/nextjs.md": `
    declare function database(): {
      query(text: string): Promise<{ readonly rows: readonly { readonly name: string }[] }>;
    };`,
};
