/** The service's resources as a Pulumi program declares them. */
import { CustomResource, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { BackingInputs } from "./backing.ts";
import type { CheckoutInputs } from "./checkout.ts";
import type { DatabaseInputs } from "./database.ts";
import type { AccessInputs } from "./database-access.ts";
import type { LoginInputs } from "./database-login.ts";
import type { EgressInputs } from "./egress.ts";
import type { FlagsInputs } from "./flags.ts";
import type { RouteInputs } from "./route.ts";
import type { SchemaChangesInputs, SchemaInputs } from "./schema.ts";
import type { SchemaDiff } from "./schema-diff.ts";
import type { SecretInputs } from "./secret.ts";
import type { ServiceInputs } from "./service.ts";
import type { TaskInputs } from "./task.ts";

type Declared<I> = { readonly [K in keyof I]: Input<I[K]> };

export class LocalFolder extends CustomResource {
  declare readonly path: Output<string>;

  constructor(name: string, opts: CustomResourceOptions) {
    super("stackling:local:Folder", name, { path: undefined }, opts);
  }
}

export class LocalCheckout extends CustomResource {
  declare readonly path: Output<string>;

  constructor(name: string, inputs: Declared<CheckoutInputs>, opts: CustomResourceOptions) {
    super("stackling:local:Checkout", name, { ...inputs, path: undefined }, opts);
  }
}

export class LocalTask extends CustomResource {
  constructor(name: string, inputs: Declared<TaskInputs>, opts: CustomResourceOptions) {
    super("stackling:local:Task", name, { ...inputs }, opts);
  }
}

export class LocalRelease extends CustomResource {
  /** Private `host:port`; empty for what does not listen. */
  declare readonly address: Output<string>;
  /** Further ports by name, for what asked for some. */
  declare readonly ports: Output<Readonly<Record<string, number>> | undefined>;

  constructor(name: string, inputs: Declared<ServiceInputs>, opts: CustomResourceOptions) {
    const outputs = { address: undefined, ports: undefined, release: undefined, instance: undefined };
    super("stackling:local:Service", name, { ...inputs, ...outputs }, opts);
  }
}

export class LocalRoute extends CustomResource {
  constructor(name: string, inputs: Declared<RouteInputs>, opts: CustomResourceOptions) {
    super("stackling:local:Route", name, { ...inputs }, opts);
  }
}

export class LocalEgress extends CustomResource {
  constructor(name: string, inputs: Declared<EgressInputs>, opts: CustomResourceOptions) {
    super("stackling:local:Egress", name, { ...inputs }, opts);
  }
}

export class LocalFlags extends CustomResource {
  /** Absolute path of the file. */
  declare readonly path: Output<string>;

  constructor(name: string, inputs: Declared<FlagsInputs>, opts: CustomResourceOptions) {
    super("stackling:local:Flags", name, { ...inputs, path: undefined }, opts);
  }
}

export class LocalSchema extends CustomResource {
  declare readonly of: Output<string>;
  declare readonly packed: Output<string | undefined>;

  constructor(name: string, inputs: Declared<SchemaInputs>, opts: CustomResourceOptions) {
    super("stackling:local:Schema", name, { ...inputs, packed: undefined }, opts);
  }
}

export class LocalSchemaChanges extends CustomResource {
  declare readonly diff: Output<SchemaDiff | undefined>;

  constructor(name: string, inputs: Declared<SchemaChangesInputs>, opts: CustomResourceOptions) {
    super("stackling:local:SchemaChanges", name, { ...inputs, diff: undefined }, opts);
  }
}

export class LocalBacking extends CustomResource {
  declare readonly values: Output<Readonly<Record<string, string>>>;
  declare readonly addresses: Output<readonly string[]>;

  constructor(name: string, inputs: BackingInputs, opts: CustomResourceOptions) {
    const hidden = { additionalSecretOutputs: ["password", "values"] };
    super(
      "stackling:local:Backing",
      name,
      { ...inputs, password: undefined, values: undefined, addresses: undefined },
      { ...opts, ...hidden },
    );
  }
}

export class LocalSecret extends CustomResource {
  declare readonly value: Output<string>;

  constructor(name: string, inputs: Declared<SecretInputs>, opts: CustomResourceOptions) {
    const hidden = { additionalSecretOutputs: ["value"] };
    super("stackling:local:Secret", name, { ...inputs, value: undefined }, { ...opts, ...hidden });
  }
}

export class LocalDatabase extends CustomResource {
  declare readonly name: Output<string>;
  declare readonly url: Output<string>;
  declare readonly identity: Output<string>;

  constructor(name: string, inputs: DatabaseInputs, opts: CustomResourceOptions) {
    const outputs = { role: undefined, url: undefined, identity: undefined };
    super("stackling:local:Database", name, { ...inputs, ...outputs }, { ...opts, additionalSecretOutputs: ["url"] });
  }
}

export class LocalDatabaseAccess extends CustomResource {
  declare readonly name: Output<string>;
  declare readonly url: Output<string>;
  declare readonly identity: Output<string>;

  constructor(name: string, inputs: AccessInputs, opts: CustomResourceOptions) {
    const hidden = { additionalSecretOutputs: ["url"] };
    const outputs = { url: undefined, identity: undefined, made: undefined };
    super("stackling:local:DatabaseAccess", name, { ...inputs, ...outputs }, { ...opts, ...hidden });
  }
}

export class LocalDatabaseLogin extends CustomResource {
  declare readonly url: Output<string>;

  constructor(name: string, inputs: Declared<LoginInputs>, opts: CustomResourceOptions) {
    const hidden = { additionalSecretOutputs: ["base", "url"] };
    const outputs = { login: undefined, url: undefined, made: undefined };
    super("stackling:local:DatabaseLogin", name, { ...inputs, ...outputs }, { ...opts, ...hidden });
  }
}
