/** What migrations make of a preview's own database, whatever strategy it is of. */
import { all, type ComponentResourceOptions, type Input, type Output, secret } from "@pulumi/pulumi";
import { LocalSchema, LocalSchemaChanges } from "../local/custom-resources.ts";
import type { SchemaDiff } from "../local/schema-diff.ts";
import type { DatabaseConnection, ServiceComponent } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";

export class DatabaseChanges extends PreviewComponent {
  /** The database, once its schema was read: for whatever may change that. */
  readonly database: DatabaseConnection;
  readonly #since: LocalSchema;

  constructor(name: string, { database }: { readonly database: DatabaseConnection }, opts?: ComponentResourceOptions) {
    super("stackling:database:Changes", name, {}, opts);
    const { name: called, url, identity } = database;
    this.#since = new LocalSchema(this.childName("since"), { url: secret(url), of: identity }, { parent: this });
    this.database = { name: called, identity, url: secret(all([url, this.#since.id]).apply(([known]) => known)) };
    this.registerOutputs();
  }

  /**
   * What differs once `service` serves; undefined where it cannot be told.
   *
   * @param version changes with whatever the database may have been migrated for
   */
  readBehind(service: ServiceComponent, version: Input<string>): Output<SchemaDiff | undefined> {
    const key = all([version, this.#since.of]).apply((parts) => parts.join(" "));
    const changes = new LocalSchemaChanges(
      this.childName("read"),
      { url: this.database.url, since: this.#since.packed, key },
      { parent: this, dependsOn: service.addresses.apply(() => service) },
    );
    return changes.diff;
  }
}
