/** Which of the operator's `chat` and `hooks` a repository has, checked against what there is. */
import { closest } from "./closest.ts";
import type { OperatorFile } from "./operator-schema.ts";
import type { Misfit } from "./yaml-file.ts";

export function tellingMisfits(typed: OperatorFile): readonly Misfit[] {
  return typed.repositories.flatMap((repository, index) =>
    (["chat", "hooks"] as const).flatMap((what) => {
      const known = Object.keys(typed[what] ?? {});
      return (repository[what] ?? []).flatMap((name, at): readonly Misfit[] => {
        if (known.includes(name)) return [];
        const meant = closest(name, known);
        const hint = meant
          ? `did you mean "${meant}"?`
          : known.length > 0
            ? `known: ${known.join(", ")}`
            : `name it under "${what}" at the top`;
        return [
          {
            path: ["repositories", index, what, at],
            message: `there is nothing named "${name}" under "${what}"; ${hint}`,
          },
        ];
      });
    }),
  );
}
