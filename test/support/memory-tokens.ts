import { pageOfRows } from "../../service/store/page.ts";
import { createTokens, type NewToken, type Tokens } from "../../service/tokens/token.ts";

/** Tokens as the service keeps them, in memory; `shop` and `till` are configured. */
export function memoryTokens(onError: (error: unknown) => void): Tokens {
  const rows = new Map<string, NewToken & { readonly id: string; lastUsedAt?: string }>();
  const shown = ({ digest: _digest, ...row }: NewToken & { readonly id: string }) => row;
  let ids = 0;
  return createTokens({
    now: () => new Date().toISOString(),
    repositories: async () => ["shop", "till"],
    onError,
    store: {
      async addToken(token) {
        if ([...rows.values()].some(({ name }) => name === token.name)) return undefined;
        const id = String(++ids);
        rows.set(id, { id, ...token });
        return shown({ id, ...token });
      },
      async tokens({ before, limit }) {
        const older = [...rows.values()]
          .reverse()
          .filter(({ id }) => before === undefined || Number(id) < Number(before));
        const { rows: found, ...next } = pageOfRows(older, limit, ({ id }) => id);
        return { tokens: found.map(shown), ...next };
      },
      async findToken(digest) {
        const found = [...rows.values()].find((row) => row.digest === digest);
        const isOver = found?.expiresAt !== undefined && found.expiresAt <= new Date().toISOString();
        return found && !isOver ? shown(found) : undefined;
      },
      async revokeToken(which) {
        const found = [...rows.values()].find(({ id, name }) => id === which || name === which);
        if (found) rows.delete(found.id);
        return found && shown(found);
      },
      async usedTokens(times) {
        for (const [id, at] of times) Object.assign(rows.get(id) ?? {}, { lastUsedAt: at });
      },
    },
  });
}
