/** Repositories that get previews. */
import { z } from "zod";
import type { RepositoryFacts } from "../../repository-facts.ts";
import { visibleTo } from "../../roles.ts";
import { type Route, route } from "../route.ts";

export interface RepositoryRoutesDeps {
  readonly repositories: () => Promise<readonly RepositoryFacts[]>;
}

const text = z.string();

const repositorySchema = z.strictObject({
  name: text,
  forge: text,
  kind: text,
  path: text,
  url: text.optional(),
  target: text,
  previews: z.int().describe("That are there now."),
  lastDeliveryAt: z.iso.datetime().optional().describe("Of the last webhook about one of its pull requests."),
  application: z
    .strictObject({
      services: z.array(z.strictObject({ name: text, kind: text, runs: text })),
      install: z.array(text),
      build: z.array(text),
      database: z.boolean(),
      migrate: text.optional(),
      seed: text.optional(),
      flags: z.array(text),
      external: z.array(text),
      checks: z.int(),
      secrets: z.array(text),
    })
    .optional()
    .describe("What preview.yaml of its default branch says."),
  problems: z.array(text).describe("Of its preview.yaml, with line numbers, or why it cannot be read."),
});

export function repositoryRoutes({ repositories }: RepositoryRoutesDeps): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/repositories",
      id: "listRepositories",
      tag: "Instance",
      summary: "Repositories that get previews, with what their preview.yaml says",
      may: "look",
      where: "anywhere",
      answer: {
        status: 200,
        schema: z.strictObject({ repositories: z.array(repositorySchema) }),
        says: "Those that the caller may look at.",
      },
      async handle({ caller }) {
        const all = (await repositories()).map((facts) => ({ ...facts, repository: facts.name }));
        return { repositories: visibleTo(caller, all).map(({ repository: _name, ...facts }) => facts) };
      },
    }),
  ];
}
