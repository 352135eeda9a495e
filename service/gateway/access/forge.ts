/** Opens to whoever can read (or write to) the preview's repository, by a login at the repository's own forge. */
import { StacklingError } from "../../../components/errors.ts";
import type { DoorMaker, ForgePlace, Visitor } from "./door.ts";
import { forgeLogin } from "./forge-login.ts";

export const forgeDoor: DoorMaker<"forge"> = (deps, options) => {
  const { clientId, needs } = options;
  const mark = `forge:${deps.digest(JSON.stringify(["forge", clientId, needs]))}`;
  const placeOf = ({ repository }: Visitor) => placed(deps.placeOf(repository));
  const loginAt = ({ kind, people, ...server }: ForgePlace) =>
    forgeLogin(deps, { scope: kind.scope.door, ...options, kind, server, people });

  return {
    mark: async () => mark,
    signsIn: {
      label: deps.forgeLabel,
      begin: async (way, visitor) => loginAt(placeOf(visitor)).begin(way, visitor),
      async finish(answered, way, visitor) {
        const place = placeOf(visitor);
        const came = await loginAt(place).finish(answered, way, visitor);
        if (!came) return false;
        const right = await came.rightOf({ name: visitor.repository, path: place.path });
        if (right === undefined) throw mayNotAsk(place);
        return right === "write" || (needs === "read" && right !== "none");
      },
    },
  };
};

function placed(place: ForgePlace | undefined): ForgePlace {
  if (place) return place;
  throw new StacklingError({ reason: "NotConfigured", userMessage: "logging in: the preview's forge has no logins" });
}

function mayNotAsk({ path, kind }: ForgePlace): StacklingError {
  const userMessage = `logging in at ${kind.label}: Stackling's own credential may not ask what people may do in "${path}"; see "login" in docs/forges.md`;
  return new StacklingError({ reason: "NotConfigured", userMessage });
}
