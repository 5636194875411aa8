import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import type { ApplicationSettings } from "../../config/application";
import type { ImageSource } from "../../images";
import { BackupStore } from "./store";

export interface BackupKeysArgs {
  readonly application: string;
  readonly settings: ApplicationSettings;
  readonly namespace: pulumi.Input<string>;
  readonly images: ImageSource;
  /** The key that a person brings in. */
  readonly backupKey?: pulumi.Output<string>;
  readonly formerBackupKeys?: Readonly<Record<string, pulumi.Output<string>>>;
}

/**
 * What backups are encrypted with. A key is made in every stack and never made anew, whether it is used or not: backups
 * that are switched off and on again, or that get a key of a person's own, stay readable.
 */
export class BackupKeys extends pulumi.ComponentResource {
  /** The one that is written with; secret. */
  readonly current: pulumi.Output<string>;
  /** Left out where nothing is backed up. */
  readonly store: BackupStore | undefined;

  constructor(name: string, args: BackupKeysArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:BackupKeys", name, {}, opts);
    const parent = { parent: this };
    const made = new RandomPassword(`${name}-key`, { length: 64, special: false }, parent).result;
    const { backupKey } = args;
    this.current = pulumi.secret(backupKey ?? made);
    const { backup } = args.settings;
    this.store =
      backup === undefined
        ? undefined
        : new BackupStore(
            `${name}-store`,
            {
              application: args.application,
              settings: backup,
              namespace: args.namespace,
              images: args.images,
              key: this.current,
              formerKeys: { ...args.formerBackupKeys, ...(backupKey === undefined ? {} : { made }) },
            },
            parent,
          );
    this.registerOutputs({ current: this.current });
  }
}
