/** Rules of the lock file, which a careless install breaks for the next fresh clone and for nobody else. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

interface LockEntry {
  /** The package's own, where it is installed under another (an alias). */
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

const root = fileURLToPath(new URL("..", import.meta.url));

for (const folder of [".", "docs", "tools/node"]) {
  const text = readFileSync(join(root, folder, "package-lock.json"), "utf8");
  const packages: Readonly<Record<string, LockEntry>> = JSON.parse(text).packages;
  const manifest: Manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));

  describe(`the lock file in ${folder}`, () => {
    it("names no registry, so that everybody's own is used", () => {
      assert.doesNotMatch(text, /"resolved"|https?:\/\/[^"]*\.tgz/);
    });

    it("holds the digest of every package", () => {
      const without = Object.entries(packages).filter(([path, { integrity }]) => path !== "" && !integrity);
      assert.deepEqual(without, []);
    });

    it("holds the packages of every system, without which npm ci refuses it", () => {
      const absent = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
        Object.keys(optionalDependencies).filter(
          (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
        ),
      );
      assert.deepEqual(absent, []);
    });

    it("is of exactly the versions that package.json pins", () => {
      const pins = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
      for (const [name, version] of Object.entries(pins)) {
        const entry = packages[`node_modules/${name}`];
        const installed = entry?.name === undefined ? entry?.version : `npm:${entry.name}@${entry.version}`;
        assert.equal(installed, version, name);
      }
    });

    it("has an answer, yes or no, for every install script", () => {
      const withScript = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript);
      const names = new Set(
        withScript.map(([path, { name }]) => name ?? path.slice(path.lastIndexOf("node_modules/") + 13)),
      );
      assert.deepEqual(Object.keys(manifest.allowScripts ?? {}).sort(), [...names].sort());
    });
  });
}
