/** What `doctor` says of the doors. */
import { getDomain } from "tldts";
import type { Finding } from "../../../components/ports.ts";
import { defaultAccess } from "../../config/access-schema.ts";
import { isPastGateway } from "../../config/target-fit.ts";
import type { OperatorConfig } from "../../config/types.ts";
import { hostNameOf } from "../routes.ts";

export function accessFindings(
  config: Pick<OperatorConfig, "access" | "domain" | "repositories" | "targets">,
): readonly Finding[] {
  const everywhere = config.access ?? defaultAccess(config.domain);
  const undecided = config.repositories.filter(({ access = everywhere, target }) => {
    const found = config.targets.find(({ name }) => name === target);
    return access.kind === "undecided" && !(found && isPastGateway(found));
  });
  return [
    ...undecided.map(({ name }) => ({
      ok: false,
      what: `nobody has said who may see the previews of "${name}": they are shut to everyone without a share link`,
      remedy: "write `access` into stackling.yaml: a password, a login, networks, or `public`",
    })),
    ...sharedDomain(hostNameOf(config.domain)),
  ];
}

/** A site is what browsers take for one: a preview's page could set cookies for it all, and act beside its forms. */
function sharedDomain(host: string): readonly Finding[] {
  const known = { allowPrivateDomains: true };
  const [own, previews] = [getDomain(host, known), getDomain(`pr-1-shop.${host}`, known)];
  if (own === null || own !== previews) return [];
  return [
    {
      ok: true,
      what: `the dashboard "${host}" and the previews below it are one site to browsers, as is all of "${own}"`,
      remedy: `serve previews below a domain that nothing else of yours lies on, or put "${host}" on the Public Suffix List`,
    },
  ];
}
