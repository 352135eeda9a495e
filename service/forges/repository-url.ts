import { unreachable } from "./answers.ts";

/** Path of `acme/shop` in GitHub's API, and in Gitea's after it. What is no such name never becomes part of an address. */
export function repositoryUrl(repository: string, server: string): string {
  const [owner, name, rest] = repository.split("/");
  const isName = (part: string | undefined) => part !== undefined && /^[\w.-]*[\w-][\w.-]*$/.test(part);
  if (rest === undefined && isName(owner) && isName(name)) return `/repos/${owner}/${name}`;
  throw unreachable(`reading repository "${repository}": a repository of ${server} is written as "owner/name"`);
}
