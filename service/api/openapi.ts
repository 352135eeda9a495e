/** The OpenAPI 3.1 document, made from the table that the routes are made from. */
import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import { PROBLEM_TYPE, problemSchema } from "./problem.ts";
import type { Route } from "./route.ts";

/** Of the interface, not of Stackling: it rises with what it adds. */
const API_VERSION = "1.0.0";

const NEEDS = {
  look: "The role `viewer` is needed.",
  operate: "The role `operator` is needed.",
  administer: "The role `admin` is needed.",
} as const;

/** @param cookieName of the pages' sessions, which differs by the address that the instance is reached at */
export function documentOf(routes: readonly Route[], cookieName: string): ReturnType<typeof createDocument> {
  const paths: Record<string, ZodOpenApiPathsObject[string]> = {};
  for (const route of routes) {
    const path = openPath(route.path);
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return createDocument({
    openapi: "3.1.1",
    info: {
      title: "Stackling",
      version: API_VERSION,
      description:
        "A Pulumi stack for every pull request. What is asked here is what the verbs of the command line ask; errors are `application/problem+json` (RFC 9457) with a `reason` for programs.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/api/v1" }],
    security: [{ token: [] }],
    tags: [
      { name: "Previews", description: "One preview a pull request." },
      { name: "Instance", description: "What is asked of all of them at once, and of the service." },
      { name: "Baselines", description: "Databases that previews are copies of." },
      { name: "Access", description: "Who may ask, and who asked." },
    ],
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "`stackling token create` makes one." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: cookieName,
          description: "Of the pages; each POST and DELETE with X-CSRF-Token.",
        },
      },
    },
    paths,
  });
}

/** `/previews/:key` as `/previews/{key}`. */
export function openPath(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { id, tag, summary, description, query, body, answer } = route;
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, needsOf(route)].filter(Boolean).join(" "),
    ...(route.tokenOnly ? {} : { security: [{ token: [] }, { session: [] }] }),
    requestParams: {
      ...(names.length > 0 ? { path: z.object(Object.fromEntries(names.map((name) => [name, paramOf(name)]))) } : {}),
      ...(query ? { query } : {}),
    },
    ...(body ? { requestBody: { required: true, content: { "application/json": { schema: body } } } } : {}),
    responses: {
      [String(answer.status)]: {
        description: answer.says,
        content: Object.fromEntries(
          Object.entries({ [answer.type ?? "application/json"]: answer.schema, ...answer.or }).map(([type, schema]) => [
            type,
            { schema },
          ]),
        ),
      },
      default: {
        description: "It was not done.",
        content: { [PROBLEM_TYPE]: { schema: problemSchema } },
      },
    },
  };
}

function paramOf(name: string): z.ZodType {
  const says = name === "key" ? "`shop#42` with its sign escaped (`shop%2342`), or the stack's name." : "Its name.";
  return z.string().meta({ description: says });
}

function needsOf({ may, where }: Route): string {
  const all = where === "everything" ? " It is of the whole instance: a token of some repositories does not do." : "";
  return `${NEEDS[may]}${all}`;
}
